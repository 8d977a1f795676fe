package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A question that takes long is not asked again until it has rested for its share of that time. */
class SparingTest {
    @Test
    void a_quick_answer_may_be_asked_for_again_at_once() throws Exception {
        Sparing sparing = new Sparing(1_000_000, Duration.ofHours(1));
        assertEquals("yes", sparing.ask(() -> "yes"));
        assertTrue(sparing.mayAsk());
    }

    @Test
    void a_question_that_is_slow_repeatedly_rests() throws Exception {
        Sparing sparing = new Sparing(1_000_000, Duration.ZERO);
        sparing.ask(SparingTest::slowly);
        sparing.ask(SparingTest::slowly);
        assertTrue(sparing.mayAsk(), "that may have been the machine");
        sparing.ask(SparingTest::slowly);
        assertFalse(sparing.mayAsk());
    }

    @Test
    void a_quick_answer_in_between_means_that_the_question_need_not_rest() throws Exception {
        Sparing sparing = new Sparing(1_000_000, Duration.ofMillis(4));
        sparing.ask(SparingTest::slowly);
        sparing.ask(SparingTest::slowly);
        for (long quick = Long.MAX_VALUE; quick > Duration.ofMillis(3).toNanos(); ) {
            long begun = System.nanoTime();
            sparing.ask(() -> "yes");
            quick = System.nanoTime() - begun;
        }
        sparing.ask(SparingTest::slowly);
        assertTrue(sparing.mayAsk());
    }

    @Test
    void a_question_that_fails_slowly_rests_as_well() {
        Sparing sparing = new Sparing(1_000_000, Duration.ZERO);
        for (int i = 0; i < 3; i++) {
            assertThrows(
                    IOException.class,
                    () -> sparing.ask(() -> {
                        slowly();
                        throw new IOException("the database is away");
                    }));
        }
        assertFalse(sparing.mayAsk());
    }

    private static String slowly() {
        long end = System.nanoTime() + Duration.ofMillis(5).toNanos();
        while (System.nanoTime() - end < 0) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
        return "at last";
    }
}
