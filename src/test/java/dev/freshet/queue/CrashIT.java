package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Hold;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Kills the process with kill -9 at every step between a commit and its end. The successor, which is the next victim,
 * must complete everything.
 */
class CrashIT {
    private static Scene scene;
    private static FreshetProcess victim;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("FRESHET_REVALIDATE_CONCURRENCY=1", "FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s");
        victim = scene.start();
        scene.letEverythingPass();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void a_kill_during_the_fold_loses_nothing() throws SQLException {
        killedAt("INSERT", "public.cache_invalidation_queue", "NEW.tag = 'folding'", "folding");
        assertArrivedAfter(0, "folding");
    }

    @Test
    void a_kill_between_fold_and_hand_over_loses_nothing() throws SQLException {
        killedAt("INSERT", "freshet.delivery", "NEW.tag = 'folded'", "folded");
        assertArrivedAfter(0, "folded");
    }

    @Test
    void a_kill_between_claim_and_call_loses_nothing() throws SQLException {
        Receiver.Held call = scene.receiver.hold("in-front");
        scene.change("in-front");
        call.awaitBegun();
        scene.change("claimed");
        Scene.until(
                "claimed",
                () -> scene.isTrue("SELECT count(lease_id) = 1 FROM freshet.delivery WHERE tag = 'claimed'"));
        victim.kill9();
        call.release();
        assertArrivedAfter(0, "claimed");
        assertArrivedAfter(1, "in-front");
    }

    @Test
    void a_kill_during_the_call_loses_nothing() throws SQLException {
        Receiver.Held call = scene.receiver.hold("calling");
        scene.change("calling");
        call.awaitBegun();
        victim.kill9();
        call.release();
        assertArrivedAfter(1, "calling");
    }

    @Test
    void a_kill_between_call_and_settle_loses_nothing() throws SQLException {
        try (Hold hold = new Hold(scene.database, "DELETE", "freshet.delivery", "OLD.tag = 'settles-first'")) {
            scene.change("settles-first");
            hold.awaitReached();
            scene.change("called");
            scene.receiver.awaitCalls("called", 1);
            victim.kill9();
        }
        assertArrivedAfter(1, "called");
        assertArrivedAfter(1, "settles-first");
    }

    @Test
    void a_kill_during_settle_loses_nothing() throws SQLException {
        killedAt("INSERT", "public.invalidation_audit", "NEW.keys = '[\"settling\"]'", "settling");
        assertArrivedAfter(1, "settling");
    }

    @Test
    void a_kill_between_settle_and_mark_loses_nothing() throws SQLException {
        killedAt(
                "UPDATE",
                "public.cache_invalidation_queue",
                "NEW.tag = 'marking' AND NEW.last_invalidated_at IS NOT NULL",
                "marking");
        assertArrivedAfter(1, "marking");
    }

    private static void killedAt(String event, String table, String when, String tag) throws SQLException {
        try (Hold hold = new Hold(scene.database, event, table, when)) {
            scene.change(tag);
            hold.awaitReached();
            victim.kill9();
        }
    }

    private static void assertArrivedAfter(int calls, String tag) throws SQLException {
        if (!victim.isAlive()) {
            assertEquals(calls, scene.receiver.calls(tag).size(), "calls before it was killed");
            scene.database.run(
                    "UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NOT NULL"); // a minute passes
            victim = scene.start();
        }
        scene.awaitProcessed(tag);
        List<String> ids = scene.receiver.calls(tag).stream()
                .map(call -> call.header("webhook-id"))
                .toList();
        assertEquals(calls + 1, ids.size());
        assertEquals(1, ids.stream().distinct().count());
        assertTrue(scene.isTrue(
                "SELECT count(*) = 0 FROM public.cache_invalidation_queue q WHERE last_invalidated_at IS NOT"
                        + " NULL AND NOT EXISTS (SELECT FROM public.invalidation_audit a WHERE a.outcome ="
                        + " 'delivered' AND a.keys @> jsonb_build_array(q.tag))"));
    }
}
