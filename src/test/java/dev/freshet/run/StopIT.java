package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** SIGTERM, with leases so long that nothing would be claimed again by itself. */
class StopIT {
    @Test
    void calls_under_way_are_finished_and_the_rest_is_handed_to_the_successor_at_once() throws Exception {
        try (Scene scene =
                new Scene("FRESHET_REVALIDATE_CONCURRENCY=1", "FRESHET_LEASE=1h", "FRESHET_TARGET_TIMEOUT=5s")) {
            FreshetProcess first = scene.start();
            Receiver.Held call = scene.receiver.hold("finishes");
            scene.change("finishes");
            call.awaitBegun();
            scene.change("handed-back");
            Scene.until(
                    "claimed",
                    () -> scene.isTrue("SELECT count(lease_id) = 1 FROM freshet.delivery WHERE tag = 'handed-back'"));
            CompletableFuture<Integer> exit = CompletableFuture.supplyAsync(first::term);
            first.waitForLog(Pattern.compile("Freshet is stopping"));
            call.release();
            assertEquals(0, exit.join(), first.log());
            scene.awaitProcessed("finishes");
            assertEquals(List.of(), scene.receiver.calls("handed-back"));
            assertEquals("0", scene.one("SELECT count(lease_id) FROM freshet.delivery"));
            FreshetProcess second = scene.start();
            scene.receiver.awaitCalls("handed-back", 1);
            scene.awaitProcessed("handed-back");

            Receiver.Held hanging = scene.receiver.hold("hangs");
            scene.change("hangs");
            hanging.awaitBegun();
            assertEquals(0, second.term(), second.log());
            scene.start();
            scene.receiver.awaitCalls("hangs", 2);
            scene.awaitProcessed("hangs");
            assertEquals(1, scene.receiver.calls("finishes").size());
            assertEquals(1, scene.receiver.calls("handed-back").size());
        }
    }
}
