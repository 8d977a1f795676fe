package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.freshet.deliver.policy.Policy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of the calls that wait for a connection goes next. */
class LineTest {
    private final List<Call> tooLate = new ArrayList<>();
    private final Line line = new Line();

    @Test
    void a_first_attempt_goes_before_retries() {
        Call replayed = add(1, true);
        Call retried = add(2, true);
        Call fresh = add(3, false);
        assertSame(fresh, next(replayed));
        assertSame(replayed, next(retried));
        assertSame(retried, next(fresh));
        assertNull(next(fresh), "it has begun already, and nothing else waits");
    }

    @Test
    void first_attempts_go_in_the_order_of_their_arrival() {
        Call first = add(1, false);
        Call second = add(2, false);
        assertSame(first, next(second));
        assertSame(second, next(first));
    }

    @Test
    void calls_whose_queue_was_lost_with_its_route_hold_up_no_later_call() {
        Call lost = add(1, false, System.nanoTime() - 1);
        Call alsoLost = add(2, false, System.nanoTime() - 1);
        Call claimedAnew = add(1, false);
        assertSame(claimedAnew, next(claimedAnew));
        assertEquals(List.of(lost, alsoLost), tooLate);
        assertNull(next(lost), "it was given back");
    }

    private Call next(Call woken) {
        return line.next(woken, tooLate::add);
    }

    private Call add(int number, boolean retry) {
        return add(number, retry, Long.MAX_VALUE);
    }

    private Call add(int number, boolean retry, long deadline) {
        Call call = Call.of(List.of(
                new Delivery("x", "tag" + number, number, 1, "lease", 1, 1, 0, 0, deadline, retry, Policy.NONE)));
        line.add(call);
        return call;
    }
}
