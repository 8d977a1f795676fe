package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RefusalsTest {

    @Test
    void ten_refusals_a_second_are_reported_and_the_rest_only_counted() {
        AtomicLong now = new AtomicLong(-5);
        RefusalReports refusals = new RefusalReports(refusal -> {}, now::get);
        for (int i = 0; i < 10; i++) {
            assertTrue(refusals.count());
        }
        assertFalse(refusals.count());
        now.addAndGet(999_999_999);
        assertFalse(refusals.count());
        now.addAndGet(1);
        assertTrue(refusals.count());
        assertEquals(13, refusals.total());
        assertEquals(2, refusals.unreported());
    }

    @Test
    void a_failing_sink_does_no_harm() {
        new RefusalReports(refusal -> {
                    throw new IllegalStateException("full");
                })
                .report(null);
    }
}
