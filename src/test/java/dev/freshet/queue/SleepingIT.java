package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An instance where nothing happens, seen from outside. */
class SleepingIT {
    private static final String UNTIL = "SELECT last_value FROM freshet.asleep_until";
    private static final String ASLEEP =
            "SELECT last_value > extract(epoch FROM clock_timestamp()) FROM freshet.asleep_until";

    @Test
    void an_instance_sleeps_until_a_change_and_again_after_it_and_no_writer_notifies_once_it_has_ended()
            throws Exception {
        try (Scene scene = new Scene("FRESHET_QUEUE_POLL=1h", "FRESHET_LOG_LEVEL=DEBUG")) {
            FreshetProcess freshet = scene.start();
            for (int i = 0; i < 2; i++) {
                awaitAsleep(scene, freshet);
                String first = scene.database.one(UNTIL);
                // so it hears itself, and stays asleep
                Scene.until(
                        "said again",
                        () -> scene.database.one(ASLEEP).equals("t")
                                && !scene.database.one(UNTIL).equals(first));
                scene.changeAndAwait("woken" + i);
            }
            awaitAsleep(scene, freshet);
            freshet.term();
            Scene.until("awake", () -> scene.database.one(ASLEEP).equals("f"));
        }
    }

    @Test
    void a_change_is_found_while_the_transaction_that_is_to_wake_the_instance_stays_open() throws Exception {
        try (Scene scene = new Scene("FRESHET_QUEUE_POLL=1h");
                Connection open = scene.database.connect()) {
            FreshetProcess freshet = scene.start();
            awaitAsleep(scene, freshet);
            open.setAutoCommit(false);
            Scene.enqueue(open, "not-committed");
            scene.changeAndAwait("committed");
            assertEquals(List.of(), scene.receiver.calls("not-committed"));
            open.commit();
            scene.receiver.awaitCalls("not-committed", 1);
        }
    }

    private static void awaitAsleep(Scene scene, FreshetProcess freshet) {
        try {
            Scene.until("asleep", () -> scene.database.one(ASLEEP).equals("t"));
        } catch (AssertionError e) {
            throw new AssertionError(freshet.log() + freshet.threads(), e);
        }
    }
}
