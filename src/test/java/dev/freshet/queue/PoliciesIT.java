package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Policies of tags as the contract describes them: SQL on one side, what a receiver gets on the other. */
class PoliciesIT {
    /** Without a policy nothing goes out during a test, not even at midnight, when a bucket of a day would be ripe. */
    private static final String[] LATE = {"FRESHET_BUCKET=1s", "FRESHET_DEBOUNCE=1d", "FRESHET_QUEUE_POLL=200ms"};

    @Test
    void at_once_needs_no_poll_even_if_the_instance_started_without_policies() throws Exception {
        try (Scene scene = new Scene("FRESHET_BUCKET=1s", "FRESHET_DEBOUNCE=1d", "FRESHET_QUEUE_POLL=1h")) {
            scene.start();
            policy(scene, "'hot:*', at_once => true");
            scene.change("hot:1", "cold:1");
            scene.receiver.awaitCalls("hot:1", 1);
            assertEquals(List.of(), scene.receiver.calls("cold:1"));
            policy(scene, "'short', debounce => '0s'");
            scene.change("short", "cold:1");
            scene.receiver.awaitCalls("short", 1);
        }
    }

    @Test
    void a_burst_makes_two_calls_the_second_when_the_window_ends() throws Exception {
        try (Scene scene = new Scene(LATE)) {
            scene.start();
            scene.start();
            policy(scene, "'hot', debounce => '4s', at_once => true");
            policy(scene, "'slow', debounce => '2s'");
            scene.change("hot", "slow");
            scene.receiver.awaitCalls("hot", 1);
            scene.awaitProcessed("hot");
            scene.change("hot", "slow");
            scene.change("hot");
            scene.receiver.awaitCalls("hot", 2);
            scene.awaitProcessed("hot", "slow");
            assertEquals(2, scene.receiver.calls("hot").size());
            assertTrue(scene.receiver.calls("slow").size() <= 2, "a window of its own, or two that follow each other");
            assertTrue(scene.isTrue("SELECT last_invalidated_at >= time_bucket + interval '4 seconds' FROM"
                    + " cache_invalidation_queue WHERE tag = 'hot'"));
            assertTrue(scene.isTrue("SELECT bool_and(last_invalidated_at >= time_bucket + interval '2 seconds') FROM"
                    + " cache_invalidation_queue WHERE tag = 'slow'"));
            assertEquals("3", scene.one("SELECT invalidation_count FROM cache_invalidation_queue WHERE tag = 'hot'"));
        }
    }

    @Test
    void a_tag_that_never_rests_is_called_again_and_again() throws Exception {
        try (Scene scene = new Scene(LATE)) {
            scene.start();
            policy(scene, "'hot', debounce => '1s', at_once => true");
            Scene.until("four calls", () -> {
                scene.change("hot");
                return scene.receiver.calls("hot").size() >= 4;
            });
            List<Long> at = scene.receiver.calls("hot").stream()
                    .map(Receiver.Call::nanos)
                    .toList();
            assertTrue(at.get(3) - at.get(0) >= 1_500_000_000L, "four calls need more than one window");
        }
    }

    @Test
    void profiles_are_in_the_bodies_and_never_mixed_in_a_call() throws Exception {
        try (Scene scene = new Scene("FRESHET_REVALIDATE_BATCH=10")) {
            scene.start();
            policy(scene, "'max:*', profile => 'max'");
            policy(scene, "'short:*', profile => '{\"expire\": 60}'");
            scene.change("max:1", "plain:1", "short:1", "max:2", "plain:2", "short:2");
            scene.awaitProcessed("max:1", "plain:1", "short:1", "max:2", "plain:2", "short:2");
            List<String> bodies = scene.receiver.calls().stream()
                    .map(Receiver.Call::body)
                    .sorted()
                    .toList();
            assertEquals(
                    List.of(
                            "{\"tags\":[\"max:1\",\"max:2\"],\"profile\":\"max\"}",
                            "{\"tags\":[\"plain:1\",\"plain:2\"]}",
                            "{\"tags\":[\"short:1\",\"short:2\"],\"profile\":{\"expire\":60}}"),
                    bodies);
        }
    }

    @Test
    void a_profile_holds_for_every_call_that_begins_after_it_was_set() throws Exception {
        try (Scene scene = new Scene("FRESHET_REVALIDATE_CONCURRENCY=1")) {
            scene.start();
            Receiver.Held first = scene.receiver.hold("first");
            scene.change("first");
            first.awaitBegun();
            scene.change("waits");
            Scene.until(
                    "claimed",
                    () -> scene.isTrue("SELECT lease_id IS NOT NULL FROM freshet.delivery WHERE tag = 'waits'"));
            policy(scene, "'w*', profile => 'max'");
            first.release();
            scene.receiver.awaitCalls("waits", 1);
            assertEquals(
                    "{\"tag\":\"waits\",\"profile\":\"max\"}",
                    scene.receiver.calls("waits").get(0).body());
            assertEquals(
                    "{\"tag\":\"first\"}", scene.receiver.calls("first").get(0).body());
            scene.awaitProcessed("first", "waits");
            scene.database.run("SELECT cache_invalidation_policy_drop('w*')");
            scene.changeAndAwait("waits");
            assertEquals(
                    "{\"tag\":\"waits\"}", scene.receiver.calls("waits").get(1).body());
        }
    }

    @Test
    void the_batch_target_gets_profiles_too() throws Exception {
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "INTERNAL_API_KEY=k")) {
            scene.set("CACHE_INVALIDATION_URL=" + scene.receiver.url() + "/batch");
            scene.start();
            policy(scene, "'max', profile => 'max'");
            scene.change("max", "plain");
            scene.awaitProcessed("max", "plain");
            assertEquals(
                    "max",
                    scene.receiver.calls("max").get(0).json().path("profile").asText());
            assertTrue(
                    scene.receiver.calls("plain").get(0).json().path("profile").isMissingNode());
            assertEquals(
                    "queue",
                    scene.receiver.calls("max").get(0).json().path("source").asText());
        }
    }

    @Test
    void a_high_priority_overtakes_waiting_tags_and_a_low_one_goes_last() throws Exception {
        try (Scene scene = new Scene("FRESHET_REVALIDATE_CONCURRENCY=1")) {
            scene.start();
            policy(scene, "'urgent', priority => 9");
            policy(scene, "'bulk:*', priority => 1");
            Receiver.Held first = scene.receiver.hold("first");
            scene.change("first");
            first.awaitBegun();
            String[] bulk = IntStream.range(0, 300).mapToObj(i -> "bulk:" + i).toArray(String[]::new);
            String[] usual = IntStream.range(0, 100).mapToObj(i -> "usual:" + i).toArray(String[]::new);
            scene.change(bulk);
            scene.change(usual);
            scene.change("urgent");
            Scene.until(
                    "claimed",
                    () -> scene.isTrue("SELECT lease_id IS NOT NULL FROM freshet.delivery WHERE tag = 'urgent'"));
            first.release();
            scene.awaitProcessed(Stream.of(bulk, usual, new String[] {"urgent"})
                    .flatMap(Stream::of)
                    .toArray(String[]::new));
            List<String> order = scene.receiver.calls().stream()
                    .map(call -> call.tags().get(0))
                    .filter(tag -> !tag.equals("first")) // held for too long, so it is called again
                    .toList();
            assertEquals("urgent", order.get(0));
            assertEquals(401, order.stream().distinct().count());
            long usualAmongTheFirst = order.subList(0, 150).stream()
                    .filter(tag -> tag.startsWith("usual:"))
                    .count();
            assertTrue(usualAmongTheFirst >= 80, usualAmongTheFirst + " usual tags among the first 150 calls");
        }
    }

    @Test
    void a_new_priority_holds_for_tags_that_are_already_owed() throws Exception {
        try (Scene scene = new Scene("FRESHET_REVALIDATE_CONCURRENCY=1")) {
            scene.start();
            Receiver.Held first = scene.receiver.hold("first");
            scene.change("first");
            first.awaitBegun();
            String[] many = IntStream.range(0, 500).mapToObj(i -> "many:" + i).toArray(String[]::new);
            scene.change(many);
            scene.change("later");
            Scene.until("folded", () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM freshet.inbox)"));
            policy(scene, "'later', priority => 9");
            Scene.until(
                    "claimed",
                    () -> scene.isTrue("SELECT count(*) = 1 FROM freshet.delivery WHERE tag = 'later'"
                            + " AND priority = 9 AND lease_id IS NOT NULL"));
            first.release();
            scene.receiver.awaitCalls("later", 1);
            List<String> order = scene.receiver.calls().stream()
                    .map(call -> call.tags().get(0))
                    .toList();
            assertTrue(order.indexOf("later") < 150, "the " + order.indexOf("later") + "th call");
        }
    }

    private static void policy(Scene scene, String arguments) throws SQLException {
        scene.database.run("SELECT cache_invalidation_policy(" + arguments + ")");
    }
}
