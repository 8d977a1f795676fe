package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tags whose pause lasts, and tags whose pause is over. */
class LockedTagsTest {
    @Test
    void a_pausing_tag_is_not_tried() {
        LockedTags locked = new LockedTags(Duration.ofHours(1), Duration.ofHours(1));
        locked.add("a");
        assertEquals(List.of("a"), locked.tags());
        assertEquals(List.of("a"), locked.pausing());
        assertEquals(List.of(), locked.toTryAgain());
        assertTrue(locked.firstPause().compareTo(Duration.ofMinutes(59)) > 0);
        locked.remove("a");
        assertEquals(List.of(), locked.tags());
        assertEquals(Duration.ZERO, locked.firstPause());
    }

    @Test
    void a_tag_whose_pause_is_over_is_tried_again_and_still_known_as_locked() {
        LockedTags locked = new LockedTags(Duration.ZERO, Duration.ZERO);
        locked.add("a");
        assertEquals(List.of(), locked.pausing());
        assertEquals(List.of("a"), locked.toTryAgain());
        assertEquals(List.of("a"), locked.tags());
        assertEquals(Duration.ZERO, locked.firstPause());
    }

    @Test
    void only_a_few_tags_are_tried_at_a_time() {
        LockedTags locked = new LockedTags(Duration.ZERO, Duration.ZERO);
        for (int i = 0; i < 100; i++) {
            locked.add("tag" + i);
        }
        assertEquals(10, locked.toTryAgain().size());
    }
}
