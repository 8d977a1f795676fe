package dev.freshet.deliver.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When calls wait for a replica, and when they do not. */
class StandingTest {
    private static final long SECOND = 1_000_000_000L;

    private final ReplicaStanding standing = new ReplicaStanding(Duration.ofSeconds(10));

    @Test
    void a_replica_that_has_not_answered_yet_is_waited_for() {
        assertTrue(standing.holdsBack(1));
        standing.asks(0);
        assertNull(standing.overdue(9 * SECOND, null));
        standing.answered(9 * SECOND, 5, null);
        assertFalse(standing.holdsBack(5));
        assertTrue(standing.holdsBack(6));
    }

    @Test
    void a_replica_that_does_not_answer_is_passed_over_until_it_answers() {
        standing.asks(0);
        assertEquals("it is away: refused", whyAfterFailing(10 * SECOND));
        assertFalse(standing.holdsBack(1));
        assertNull(standing.overdue(30 * SECOND, null), "said once");
        assertTrue(standing.answered(40 * SECOND, 7, null));
        assertTrue(standing.holdsBack(8));
        assertNull(standing.says(40 * SECOND, null));
    }

    @Test
    void a_replica_that_lags_is_passed_over_until_its_lag_is_half_the_wait_at_most() {
        standing.answered(0, 5, null);
        assertEquals("it is 10 s behind", standing.overdue(20 * SECOND, 10 * SECOND));
        assertFalse(standing.answered(40 * SECOND, 6, 34 * SECOND));
        assertFalse(standing.holdsBack(100));
        assertTrue(standing.answered(50 * SECOND, 7, 46 * SECOND));
        assertTrue(standing.holdsBack(100));
    }

    @Test
    void a_replica_passed_over_recently_must_keep_up_for_a_while_first() {
        standing.asks(0);
        assertNotNull(whyAfterFailing(10 * SECOND));
        assertTrue(standing.answered(11 * SECOND, 1, null));
        standing.asks(12 * SECOND);
        assertNotNull(whyAfterFailing(22 * SECOND));
        assertFalse(standing.answered(23 * SECOND, 2, null));
        assertFalse(standing.answered(32 * SECOND, 3, null));
        assertTrue(standing.answered(33 * SECOND, 4, null), "one wait later");
        standing.asks(200 * SECOND);
        assertNotNull(whyAfterFailing(210 * SECOND));
        assertTrue(standing.answered(211 * SECOND, 5, null), "the last time is long ago");
    }

    @Test
    void what_a_replica_had_before_a_restart_does_not_count() {
        standing.answered(0, 9, null);
        standing.failed("the server closed the connection");
        assertTrue(standing.holdsBack(9));
        standing.answered(SECOND, 7, null);
        assertTrue(standing.holdsBack(9));
    }

    private String whyAfterFailing(long now) {
        standing.failed("refused");
        return standing.overdue(now, null);
    }
}
