package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.RunningRoutes;
import dev.freshet.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The batch target: what it receives, and what its answers mean for each tag. */
class BatchTargetTest {
    private static final List<String> FILES = List.of(
            "targets/tag.camel.yaml",
            "targets/batch.camel.yaml",
            "deliver.camel.yaml",
            "queue.camel.yaml",
            "errors.camel.yaml",
            "audit.camel.yaml");

    private final JsonReceiver receiver = new JsonReceiver();
    private final List<JsonReceiver.Got> calls = receiver.calls;
    private final String url = receiver.url;
    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
    }

    @AfterEach
    void close() throws Exception {
        receiver.close();
        database.close();
    }

    @Test
    void the_queues_tags_are_sent_together_if_no_tag_target_is_set() throws Exception {
        try (RunningRoutes freshet =
                new RunningRoutes(database, FILES, "NEXT_PUBLIC_APP_URL=" + url, "INTERNAL_API_KEY=s3cret")) {
            database.run("SELECT enqueue_cache_invalidation(ARRAY['a', 'b', 'c'])");
            awaitProcessed();
            assertEquals(1, calls.size(), calls.toString());
            JsonReceiver.Got call = calls.get(0);
            assertEquals("/api/internal/cache/invalidate", call.path());
            assertEquals(List.of("Bearer s3cret"), call.headers().get("Authorization"));
            assertEquals(List.of("application/json"), call.headers().get("Content-type"));
            assertEquals(List.of("a", "b", "c"), call.tags().stream().sorted().toList());
            assertEquals("queue", call.body().get("source").asText());
            assertTrue(
                    call.body().get("requestId").asText().startsWith("msg_"),
                    call.body().toString());
            assertEquals(3, call.body().size(), call.body().toString());
            assertTrue(freshet.context().getEndpoints().stream()
                    .noneMatch(e -> e.getEndpointUri().contains("s3cret")));
            assertFalse(
                    freshet.context().getPropertiesComponent().loadProperties().containsValue("s3cret"));
        }
    }

    @Test
    void without_a_key_none_is_sent_and_batches_have_the_size_that_is_set() throws Exception {
        try (RunningRoutes freshet = new RunningRoutes(
                database,
                FILES,
                "CACHE_INVALIDATION_URL=" + url + "/invalidate?from=freshet",
                "FRESHET_BATCH_TARGET_TAGS=2")) {
            database.run("SELECT enqueue_cache_invalidation(ARRAY['a', 'b', 'c'])");
            awaitProcessed();
            assertEquals(2, calls.size(), calls.toString());
            assertEquals("/invalidate?from=freshet", calls.get(0).path());
            assertNull(calls.get(0).headers().get("Authorization"));
        }
    }

    @Test
    void beside_a_tag_target_the_batch_target_gets_nothing_from_the_queue_but_is_known() throws Exception {
        try (RunningRoutes freshet = new RunningRoutes(
                database,
                FILES,
                "CACHE_INVALIDATION_URL=" + url + "/batch",
                "VERCEL_DEPLOYMENT_URL=" + url,
                "REVALIDATION_SECRET=shh")) {
            database.run("SELECT enqueue_cache_invalidation(ARRAY['a', 'b'])");
            awaitProcessed();
            assertTrue(calls.stream().allMatch(call -> call.path().equals("/api/revalidate")), calls.toString());
            assertEquals(
                    List.of("batch f", "tag t"),
                    database.list(
                            "SELECT name || ' ' || left(takes_queue::text, 1) FROM freshet.target ORDER BY name"));
        }
    }

    @Test
    void only_the_tags_that_an_answer_names_are_tried_again() throws Exception {
        receiver.next(207, "{\"success\":false,\"results\":[{\"tag\":\"a\"}],\"failed_tags\":[\"b\",\"d\"]}");
        try (RunningRoutes freshet =
                new RunningRoutes(database, FILES, "CACHE_INVALIDATION_URL=" + url, "INTERNAL_API_KEY=s3cret")) {
            database.run("SELECT enqueue_cache_invalidation(ARRAY['a', 'b', 'c', 'd'])");
            awaitProcessed();
            Eventually.is(
                    Duration.ofSeconds(20),
                    () -> retried().containsAll(List.of("b", "d")),
                    () -> "b and d again: " + calls);
            Eventually.is(
                    Duration.ofSeconds(20),
                    () -> list("SELECT tag FROM freshet.delivery").isEmpty(),
                    () -> "nothing owed");
            assertEquals(List.of("b", "d"), List.copyOf(retried()));
            assertEquals(
                    List.of("207", "207"),
                    database.list("SELECT status FROM invalidation_audit, jsonb_array_elements(keys) WHERE outcome ="
                            + " 'retry'"));
        }
    }

    private TreeSet<String> retried() {
        TreeSet<String> tags = new TreeSet<>();
        calls.stream().skip(1).forEach(call -> tags.addAll(call.tags()));
        return tags;
    }

    private void awaitProcessed() {
        Eventually.is(
                Duration.ofSeconds(20),
                () -> list("SELECT 1 FROM cache_invalidation_queue").size() > 0
                        && list("SELECT 1 FROM cache_invalidation_queue WHERE last_invalidated_at IS NULL UNION ALL"
                                        + " SELECT 1 FROM freshet.inbox")
                                .isEmpty(),
                () -> "processed; calls: " + calls);
    }

    private List<String> list(String sql) {
        try {
            return database.list(sql);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
