package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The times of the contract: buckets of five seconds, ripe five seconds after their start, with two instances at work.
 */
class DebounceIT {
    @Test
    void three_updates_in_one_bucket_make_one_call() throws Exception {
        try (Scene scene = new Scene("FRESHET_BUCKET=", "FRESHET_DEBOUNCE=", "FRESHET_QUEUE_POLL=")) {
            FreshetProcess one = scene.start();
            FreshetProcess other = scene.start();
            awaitStartOfBucket(scene);
            scene.change("burst");
            scene.change("burst");
            scene.change("burst");
            scene.receiver.awaitCalls("burst", 1);
            scene.awaitProcessed("burst");
            scene.letEverythingPass();
            assertEquals(1, scene.receiver.calls("burst").size());
            assertEquals(
                    List.of("3"),
                    scene.database.list(
                            "SELECT invalidation_count FROM public.cache_invalidation_queue WHERE tag = 'burst'"));
            assertTrue(scene.isTrue("SELECT bool_and(last_invalidated_at >= time_bucket + interval '5 seconds') FROM"
                    + " public.cache_invalidation_queue"));
            assertTrue((one.log() + other.log()).contains("Processing 1 unique tags from 1 time buckets"));
        }
    }

    private static void awaitStartOfBucket(Scene scene) throws SQLException {
        Scene.until("a bucket begins", () -> scene.isTrue("SELECT extract(epoch FROM clock_timestamp()) % 5 < 1"));
    }
}
