package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Two instances on one database. */
class TwoInstancesIT {
    @Test
    void two_instances_share_the_work_and_do_none_of_it_twice() throws Exception {
        try (Scene scene =
                new Scene("FRESHET_REVALIDATE_CONCURRENCY=1", "FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s")) {
            scene.start();
            scene.start();
            String[] tags = IntStream.range(0, 500).mapToObj(i -> "shared-" + i).toArray(String[]::new);
            Receiver.Held one = new Receiver.Held();
            Receiver.Held other = new Receiver.Held();
            scene.receiver.nextOfAll(one, other);
            scene.change(tags);
            one.awaitBegun();
            other.awaitBegun(); // each makes one call at a time, so this one comes from the other instance
            one.release();
            other.release();
            scene.awaitProcessed(tags);
            scene.letEverythingPass();
            for (String tag : tags) {
                assertEquals(1, scene.receiver.calls(tag).size(), tag);
            }
        }
    }
}
