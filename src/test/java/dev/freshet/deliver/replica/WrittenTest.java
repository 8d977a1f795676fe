package dev.freshet.deliver.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class WrittenTest {
    private final Written written = new Written();

    @Test
    void a_lag_begins_with_the_first_position_that_is_missing() {
        long moment = 1_000_000;
        written.note(10, moment);
        written.note(20, 2 * moment);
        written.note(20, 3 * moment);
        written.note(15, 4 * moment);
        assertEquals(moment, written.beyondSince(9));
        assertEquals(2 * moment, written.beyondSince(10));
        assertNull(written.beyondSince(20));
        written.forget(10);
        assertEquals(2 * moment, written.beyondSince(0));
        written.note(21, 2 * moment + 1);
        assertEquals(2 * moment, written.beyondSince(20), "of the same moment");
    }

    @Test
    void a_replica_that_is_away_for_a_long_time_costs_no_memory() {
        long millis = 1_000_000;
        for (int i = 1; i <= 1_000_000; i++) {
            written.note(i, i * millis);
        }
        long since = written.beyondSince(500_000) / millis;
        assertTrue(since > 499_000 && since <= 500_001, "about when it was: " + since);
        assertNull(written.beyondSince(1_000_000));
    }
}
