package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

class ApiQueueRoutesTest extends RouteTest {
    private static final String RUN_NOW = "POST /functions/v1/cache-invalidation-worker";
    private static final String COUNT = "sql:classpath:sql/queries/queue/queue-state.sql";
    private static final ManualRun.Begun RIPE =
            new ManualRun.Begun(new TurnReport(true, List.of("course:7", "course:8"), 1, List.of()), 0, null);

    ApiQueueRoutesTest() {
        super("api-queue.camel.yaml", "api.camel.yaml");
    }

    @Test
    void a_manual_run_is_audited_and_answered_once_its_calls_have_been_made() throws Exception {
        answer("auditLog.request", "a row");
        answer("manualRun.begin", RIPE);
        answer("manualRun.await", Map.of("processed", 2));
        Exchange answered = send(RUN_NOW, null, Map.of("force", "true", "CamelHttpQuery", "force=true"));
        assertEquals("{\"processed\":2}", text(answered));
        assertNull(header(answered, "CamelHttpResponseCode"));
        assertEquals(
                List.of(
                        "auditLog.request(cache-invalidation-worker, force=true)",
                        "seda:audit a row",
                        "targets.register()",
                        "manualRun.begin(true)",
                        "INFO Processing 2 unique tags from 1 time buckets",
                        "direct:wake-deliveries " + RIPE,
                        "manualRun.await(" + RIPE + ")"),
                happened());
    }

    @Test
    void a_manual_run_that_is_not_done_in_time_is_answered_with_202() throws Exception {
        answer("manualRun.begin", RIPE);
        answer("manualRun.await", Map.of("pending", 1));
        assertEquals("202", header(send(RUN_NOW), "CamelHttpResponseCode"));
    }

    @Test
    void a_manual_run_without_pending_tags_waits_for_nothing() throws Exception {
        answer("manualRun.begin", new ManualRun.Begun(TurnReport.NOTHING, 0, null));
        answer("manualRun.nothingPending", Map.of("message", "No invalidations pending"));
        assertEquals("{\"message\":\"No invalidations pending\"}", text(send(RUN_NOW)));
        assertEquals("manualRun.nothingPending()", last());
    }

    @Test
    void the_state_of_the_queue_comes_from_a_statement() throws Exception {
        answer(COUNT, Map.of("pending", 3));
        assertEquals("{\"pending\":3}", text(send("GET /api/queue")));
        assertEquals(List.of(COUNT), happened());
    }

    @Test
    void dead_letters_are_listed_with_the_filters_of_the_request() throws Exception {
        answer("deadLetters.list", Map.of("total", 0));
        Map<String, Object> filters =
                Map.of("target", "tag", "tag", "course:7", "error", "HTTP 410", "limit", "10", "offset", "20");
        assertEquals("{\"total\":0}", text(send("GET /api/dead-letters", null, filters)));
        assertEquals(List.of("deadLetters.list(tag, course:7, HTTP 410, 10, 20)"), happened());
    }

    @Test
    void a_replay_wakes_deliveries_and_answers_how_many_it_replayed() throws Exception {
        answer("deadLetters.replayOne", Map.of("replayed", 1));
        answer("deadLetters.replayMatching", Map.of("replayed", 2));
        assertEquals("{\"replayed\":1}", text(send("POST /api/dead-letters/{id}/replay", null, Map.of("id", "41"))));
        assertEquals("{\"replayed\":2}", text(send("POST /api/dead-letters/replay", "{\"target\":\"tag\"}")));
        assertEquals(
                List.of(
                        "deadLetters.replayOne(41)",
                        "direct:wake-deliveries {replayed=1}",
                        "deadLetters.replayMatching({target=tag})",
                        "direct:wake-deliveries {replayed=2}"),
                happened());
    }

    private String last() {
        List<String> all = happened();
        return all.get(all.size() - 1);
    }
}
