package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.api.Refused;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PatternsTest {
    @Test
    void a_pattern_is_compiled_once() {
        Patterns patterns = new Patterns();
        assertSame(patterns.of("^user:[0-9]+$"), patterns.of("^user:[0-9]+$"));
    }

    @Test
    void two_thousand_patterns_are_not_all_kept() {
        Patterns patterns = new Patterns();
        for (int i = 0; i < 2000; i++) {
            assertTrue(patterns.of("^p" + i + "(a|b)+$").matches("p" + i + "ab"));
        }
        assertEquals(1000, patterns.size());
    }

    @Test
    void fewer_large_patterns_are_kept() {
        Patterns patterns = new Patterns();
        for (int i = 0; i < 100; i++) {
            patterns.of("a{900}" + i);
            patterns.of("\\pL\\p{N}".repeat(100) + i);
        }
        assertTrue(patterns.size() < 50, "kept " + patterns.size());
    }

    @Test
    void a_refused_pattern_is_not_kept() {
        Patterns patterns = new Patterns();
        assertThrows(Refused.class, () -> patterns.of("user:["));
        assertThrows(Refused.class, () -> patterns.of("a".repeat(1_000_000)));
        assertEquals(0, patterns.size());
    }

    @Test
    void one_pattern_serves_many_threads_at_once() throws Exception {
        Patterns patterns = new Patterns();
        List<String> keys = IntStream.range(0, 20_000)
                .mapToObj(i -> "user:" + i % 100 + ":" + i)
                .toList();
        List<String> expected =
                keys.stream().filter(key -> key.startsWith("user:42:")).toList();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<List<String>>> found = IntStream.range(0, 16)
                    .mapToObj(i ->
                            threads.submit(() -> patterns.of("^user:4[2]:.*$").matching(keys)))
                    .toList();
            for (Future<List<String>> one : found) {
                assertEquals(expected, one.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
