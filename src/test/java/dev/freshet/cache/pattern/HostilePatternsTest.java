package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.api.Refused;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Patterns that bring other engines to a halt. The time-outs only keep a broken build from hanging. */
@Timeout(120)
class HostilePatternsTest {
    private static final String LONG = "a".repeat(50_000);

    @Test
    void patterns_that_exhaust_a_backtracking_engine_are_matched() {
        assertTrue(matches("(a+)+$", LONG));
        assertFalse(matches("^(a+)+$", LONG + "b"));
        assertTrue(matches("^(a|b)*$", "ab".repeat(25_000)));
        assertFalse(matches("(.*)(.*)(.*)(.*)x$", "y".repeat(50_000)));
        assertFalse(matches("*a*a*a*a*a*a*a*a*b", LONG));
        assertFalse(matches("*" + "a".repeat(500) + "b*" + "a".repeat(500) + "c", LONG));
        assertTrue(matches("^(a?){500}a{500}$", "a".repeat(500)));
        assertFalse(matches("^(a?){500}a{500}$", LONG));
        assertTrue(matches("(a?){500}a{500}$", LONG));
        assertTrue(matches("((((((a*)*)*)*)*)*)*$", LONG + "b"));
    }

    @Test
    void deeply_nested_and_wide_patterns_are_matched() {
        assertTrue(matches("(".repeat(500) + "a" + ")".repeat(500), LONG));
        assertTrue(matches("(?:".repeat(200) + "a" + ")+".repeat(200) + "$", LONG));
        assertTrue(matches("(" + "a|".repeat(500) + "b)*$", LONG));
        assertTrue(matches("[" + "\\p{L}".repeat(150) + "]+$", LONG));
    }

    @Test
    void a_pattern_that_would_unfold_too_far_is_refused_beforehand() {
        refused("(a{1000}){1000}", "more than 1,000 repeats (a count within a count multiplies it) at character 10");
        refused(
                "((a{100}){100}){100}",
                "more than 1,000 repeats (a count within a count multiplies it) at character 16");
        refused(
                "(?:".repeat(120) + "a" + "{2})".repeat(120),
                "more than 1,000 repeats (a count within a count multiplies it) at character 514");
        refused("a{1000}".repeat(146), "unfolds to more than 3,000 steps at character 2");
        refused("a{1000}".repeat(3), "unfolds to more than 3,000 steps at character 2");
        assertTrue(matches("a{1000}".repeat(2) + "a{998}", LONG));
        refused("(" + "a".repeat(900) + "){1000}", "unfolds to more than 3,000 steps at character 903");
        refused(
                "(" + "(".repeat(200) + ")".repeat(200) + "){1000}",
                "unfolds to more than 3,000 steps at character 403");
        assertTrue(matches("(a{10}){100}", LONG));
    }

    @Test
    void the_largest_allowed_patterns_fit_into_a_stack() throws InterruptedException {
        for (String text : new String[] {
            "(a*){590}", "(".repeat(511) + "a" + ")".repeat(511), "(((a?)?)?){270}$", "((?:){4}a?){160}", "(\\b){990}"
        }) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread thread = new Thread(
                    null, () -> KeyPattern.parse(text).matches("b"), "what a caller leaves of a stack", 832 << 10);
            thread.setUncaughtExceptionHandler((dead, e) -> thrown.set(e));
            thread.start();
            thread.join();
            assertEquals(null, thrown.get(), text);
        }
    }

    @Test
    void a_pattern_refused_on_an_exhausted_stack_works_again_later() throws InterruptedException {
        KeyPattern pattern = KeyPattern.parse("(a*){590}");
        assertTrue(pattern.matches("b"));
        Set<String> seen = new LinkedHashSet<>(
                List.of(new Refused(400, "what is loaded now need not be loaded on an empty stack").getMessage()));
        Thread thread = new Thread(null, () -> matchWhileUnwinding(pattern, seen), "used up", 1 << 20);
        thread.start();
        thread.join();
        assertTrue(seen.contains("pattern: is nested too deeply"), seen.toString());
        assertTrue(pattern.matches("b"));
    }

    private static void matchWhileUnwinding(KeyPattern pattern, Set<String> seen) {
        try {
            matchWhileUnwinding(pattern, seen);
        } catch (StackOverflowError e) {
            // the stack is used up
        }
        if (seen.size() == 1) {
            try {
                pattern.matches("b");
            } catch (Refused e) {
                seen.add(e.getMessage());
            }
        }
    }

    private static boolean matches(String pattern, String key) {
        return KeyPattern.parse(pattern).matches(key);
    }

    private static void refused(String pattern, String why) {
        assertEquals(
                "pattern: " + why,
                assertThrows(Refused.class, () -> KeyPattern.parse(pattern)).getMessage());
    }
}
