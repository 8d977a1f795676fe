package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/**
 * Rows that change their meaning when a time comes. With a debounce of a day and a poll of an hour, whatever is
 * delivered here is delivered because its moment has come. The bucket is short, since a bucket of a day would be ripe
 * at midnight.
 */
class ClockIT {
    private static final String[] SETTINGS = {"FRESHET_DEBOUNCE=1d", "FRESHET_BUCKET=1s", "FRESHET_QUEUE_POLL=1h"};

    /** The lock that gives the turn at the queue: sql/queries/queue/take-turn.sql. */
    private static final int TURN = 7382084;

    private static Scene scene(String... settings) throws Exception {
        TestDatabase database = TestDatabase.empty();
        // a role called freshet would find schema freshet first
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET search_path = public");
        Scene scene = new Scene(database, SETTINGS);
        scene.set(settings);
        return scene;
    }

    private static void posts(Scene scene) throws SQLException {
        scene.database.run(
                "CREATE TABLE posts (id int PRIMARY KEY, publish_at timestamptz, unpublish_at timestamptz);SELECT"
                        + " cache_invalidation_watch('posts', ARRAY['post:{id}'], due => ARRAY['publish_at',"
                        + " 'unpublish_at'])");
    }

    private static void post(Scene scene, int id, String publishIn) throws SQLException {
        scene.database.run("INSERT INTO posts VALUES (" + id + ", clock_timestamp() + interval '" + publishIn + "')");
    }

    private static void awaitMoment(Scene scene, int id) {
        Scene.until(
                "the moment of " + id,
                () -> scene.isTrue("SELECT publish_at < clock_timestamp() FROM posts WHERE id = " + id));
    }

    /** Asserts that no moment was early, whatever was called. */
    private static void assertNoneEarly(Scene scene) throws SQLException {
        assertEquals(
                "0",
                scene.one("SELECT count(*) FROM cache_invalidation_queue q LEFT JOIN posts p ON q.tag = 'post:' || p.id"
                        + " AND q.ripe_at = p.publish_at WHERE q.ripe_at IS NOT NULL AND (p.id IS NULL OR"
                        + " q.last_invalidated_at < p.publish_at)"));
    }

    @Test
    void a_moment_is_delivered_when_it_comes_unless_it_was_edited_away_or_deleted() throws Exception {
        try (Scene scene = scene()) {
            scene.start();
            posts(scene);
            post(scene, 1, "2 s");
            post(scene, 2, "2 s");
            post(scene, 3, "2 s");
            post(scene, 4, "2500 ms");
            scene.database.run(
                    "UPDATE posts SET publish_at = '2100-01-01' WHERE id = 2; DELETE FROM posts WHERE id = 3");
            post(scene, 5, "2500 ms");
            scene.database.run("UPDATE posts SET publish_at = publish_at + interval '700 ms' WHERE id = 5");
            scene.receiver.awaitCalls("post:1", 1);
            scene.receiver.awaitCalls("post:4", 1);
            scene.receiver.awaitCalls("post:5", 1);
            Scene.until(
                    "settled",
                    () -> scene.isTrue("SELECT count(*) = 3 FROM cache_invalidation_queue WHERE ripe_at IS NOT NULL AND"
                            + " last_invalidated_at IS NOT NULL"));
            for (int id = 1; id <= 5; id++) {
                assertEquals(
                        id == 2 || id == 3 ? 0 : 1,
                        scene.receiver.calls("post:" + id).size(),
                        "post:" + id);
            }
            assertNoneEarly(scene);
        }
    }

    @Test
    void a_restart_across_a_moment_or_after_an_edit_loses_nothing() throws Exception {
        try (Scene scene = scene()) {
            FreshetProcess first = scene.start();
            posts(scene);
            post(scene, 1, "1 s");
            post(scene, 4, "1 h");
            assertEquals(0, first.term());
            // two transactions, with nothing between them that could take until the moment has come
            scene.database.run("DO $$ BEGIN INSERT INTO posts VALUES (2, clock_timestamp() + interval '1 s'); COMMIT;"
                    + " UPDATE posts SET publish_at = '2100-01-01' WHERE id = 2; END $$");
            post(scene, 3, "200 ms");
            awaitMoment(scene, 1);
            awaitMoment(scene, 3);
            scene.start();
            scene.receiver.awaitCalls("post:1", 1);
            scene.receiver.awaitCalls("post:3", 1);
            assertEquals(0, scene.receiver.calls("post:2").size());
            assertEquals(0, scene.receiver.calls("post:4").size());
            assertNoneEarly(scene);
        }
    }

    @Test
    void a_kill_9_while_moments_are_queued_loses_none() throws Exception {
        // the poll finds leases that have ended, and what failed on a busy machine
        try (Scene scene = scene("FRESHET_QUEUE_POLL=1s")) {
            FreshetProcess first = scene.start();
            posts(scene);
            scene.database.run(
                    "INSERT INTO posts SELECT i, clock_timestamp() + i * interval '4 ms' + interval '1 s' FROM"
                            + " generate_series(1, 600) i");
            scene.receiver.awaitCalls("post:100", 1);
            first.kill9();
            scene.start();
            for (int id = 1; id <= 600; id++) {
                scene.receiver.awaitCalls("post:" + id, 1);
            }
            assertNoneEarly(scene);
        }
    }

    @Test
    void two_instances_deliver_each_moment_once() throws Exception {
        try (Scene scene = scene()) {
            scene.start();
            scene.start();
            posts(scene);
            scene.database.run(
                    "INSERT INTO posts SELECT i, clock_timestamp() + i * interval '5 ms' + interval '1 s' FROM"
                            + " generate_series(1, 300) i");
            for (int id = 1; id <= 300; id++) {
                scene.receiver.awaitCalls("post:" + id, 1);
            }
            Scene.until(
                    "settled",
                    () -> scene.isTrue(
                            "SELECT count(*) = 300 FROM cache_invalidation_queue WHERE ripe_at IS NOT NULL AND"
                                    + " last_invalidated_at IS NOT NULL"));
            for (int id = 1; id <= 300; id++) {
                assertEquals(1, scene.receiver.calls("post:" + id).size(), "post:" + id);
            }
        }
    }

    @Test
    void a_moment_that_comes_while_another_instance_has_the_turn_is_delivered_afterwards() throws Exception {
        try (Scene scene = scene();
                Connection other = scene.database.connect()) {
            scene.start();
            posts(scene);
            post(scene, 0, "1 s");
            scene.receiver.awaitCalls("post:0", 1);
            other.setAutoCommit(false);
            TestDatabase.list(other, "SELECT pg_try_advisory_xact_lock(" + TURN + ")");
            post(scene, 1, "1 s");
            Scene.until(
                    "queued, and longer ago than the clock is looked at",
                    () -> scene.isTrue("SELECT count(*) = 1 FROM cache_invalidation_queue WHERE handover IS NULL AND"
                            + " ripe_at < clock_timestamp() - interval '2 s'"));
            other.commit();
            scene.receiver.awaitCalls("post:1", 1);
        }
    }

    @Test
    void a_timestamp_is_read_in_the_servers_time_zone_and_the_console_lists_its_watch() throws Exception {
        try (Scene scene = scene()) {
            FreshetProcess freshet = scene.start();
            Scene.until(
                    "the server's time zone is known",
                    () -> scene.isTrue(
                            "SELECT count(*) = 1 FROM freshet.server_time_zone WHERE name = 'Asia/Kathmandu'"));
            scene.database.run("CREATE TABLE sales (id int, ends timestamp); SELECT cache_invalidation_watch('sales',"
                    + " ARRAY['sale:{id}'], due => ARRAY['ends']);INSERT INTO sales VALUES (1, clock_timestamp()"
                    + " AT TIME ZONE 'Asia/Kathmandu' + interval '1 s'), (2, clock_timestamp() AT TIME ZONE"
                    + " 'Asia/Kathmandu' + interval '1 h')");
            scene.receiver.awaitCalls("sale:1", 1);
            assertEquals(0, scene.receiver.calls("sale:2").size());
            String shown = freshet.get("/api/console/dry-run?tag=sale:1").body();
            assertTrue(shown.contains("\"due\":[\"ends\"]"), shown);
        }
    }
}
