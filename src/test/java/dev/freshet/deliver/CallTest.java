package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.policy.Policy;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a call tells of its tags: all of them, or nothing. */
class CallTest {
    @Test
    void a_call_has_the_form_of_its_target_however_many_tags_it_carries() {
        assertEquals(Map.of("tag", "a"), call(1, "a").asTagOrTags());
        assertEquals(Map.of("tags", List.of("a")), call(50, "a").asTagOrTags());
        assertEquals(Map.of("tags", List.of("a", "b")), call(50, "a", "b").asTagOrTags());
    }

    @Test
    void no_form_leaves_a_tag_out() {
        assertEquals(Map.of("tags", List.of("a", "b")), call(50, "a", "b").asTagOrTags(2));
        assertEquals(Map.of("tag", "a"), call(50, "a").asTagOrTags(1));
        IllegalStateException refused = assertThrows(
                IllegalStateException.class, () -> call(50, "a", "b").asTagOrTags(1));
        assertTrue(refused.getMessage().contains("target x"), refused.getMessage());
        assertThrows(IllegalStateException.class, () -> call(1, "a", "b").asTagOrTags());
    }

    private static Call call(int batch, String... tags) {
        return Call.of(Stream.of(tags)
                .map(tag -> new Delivery("x", tag, 1, 1, "lease", batch, batch, 0, 0, 0, false, Policy.NONE))
                .toList());
    }
}
