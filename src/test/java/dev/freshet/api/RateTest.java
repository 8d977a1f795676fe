package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateTest {
    private final AtomicLong now = new AtomicLong();

    @Test
    void only_the_address_that_asks_too_often_must_wait() {
        Rate rate = new Rate(5, now::get);
        for (int i = 0; i < 10; i++) {
            assertEquals(0, rate.applyAsLong("a"), "two seconds' worth at once");
        }
        assertEquals(1, rate.applyAsLong("a"));
        assertEquals(0, rate.applyAsLong("b"));
        now.addAndGet(200_000_000);
        assertEquals(0, rate.applyAsLong("a"), "one more every fifth of a second");
        assertEquals(1, rate.applyAsLong("a"));
        now.addAndGet(3_600_000_000_000L);
        for (int i = 0; i < 10; i++) {
            assertEquals(0, rate.applyAsLong("a"));
        }
        assertEquals(1, rate.applyAsLong("a"), "an hour of silence saves no more than that");
    }

    @Test
    void a_rate_of_zero_is_no_limit() {
        Rate rate = new Rate(0, now::get);
        for (int i = 0; i < 10_000; i++) {
            assertEquals(0, rate.applyAsLong("a"));
        }
    }
}
