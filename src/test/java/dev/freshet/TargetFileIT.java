package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** A target is a file: owed from when it is there, owed while nobody serves it, forgotten when it is deleted. */
class TargetFileIT {
    @Test
    void a_target_is_owed_until_its_file_is_deleted() throws Exception {
        try (Receiver second = new Receiver(); Scene scene = new Scene("FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s")) {
            Path folder = FreshetProcess.newFolder();
            Path file = Scene.dropTarget(folder, "second", second);
            FreshetProcess with = scene.start(folder);
            scene.change("first");
            second.awaitCalls("first", 1);
            scene.awaitProcessed("first");
            assertEquals(0, with.term(), with.log());

            FreshetProcess without = scene.start();
            scene.change("owed");
            scene.receiver.awaitCalls("owed", 1);
            Scene.until("settled here", () -> scene.isTrue("SELECT string_agg(target, ',') = 'second' FROM freshet.delivery WHERE tag = 'owed'"));
            assertTrue(scene.isTrue("SELECT last_invalidated_at IS NULL FROM public.cache_invalidation_queue WHERE tag = 'owed'"));
            assertEquals(0, without.term(), without.log());

            scene.start(folder);
            second.awaitCalls("owed", 1);
            scene.awaitProcessed("owed");
            assertEquals(1, scene.receiver.calls("owed").size());

            second.next("refused", Receiver.status(404));
            scene.changeAndAwait("refused");
            Receiver.Held held = second.hold("dropped");
            scene.change("dropped");
            held.awaitBegun();
            Files.delete(file);
            Scene.until("forgotten", () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.target WHERE name = 'second'"));
            held.release();
            scene.awaitProcessed("dropped");
            scene.letEverythingPass();
            assertEquals("0", scene.one("SELECT (SELECT count(*) FROM freshet.delivery) + (SELECT count(*) FROM freshet.dead_letter)"));
            assertFalse(second.calls().stream().anyMatch(call -> call.body().contains("sentinel-") && call.nanos() > second.calls("dropped").get(0).nanos()));
        }
    }
}
