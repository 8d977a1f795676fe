package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.freshet.deliver.policy.Policy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of the calls that wait for a connection goes next. */
class LineTest {
    private final Line line = new Line();

    @Test
    void a_first_attempt_goes_before_retries() {
        Call replayed = add(1, true);
        Call retried = add(2, true);
        Call fresh = add(3, false);
        assertSame(fresh, line.next(replayed));
        assertSame(replayed, line.next(retried));
        assertSame(retried, line.next(fresh));
        assertNull(line.next(fresh), "it has begun already, and nothing else waits");
    }

    @Test
    void first_attempts_go_in_the_order_of_their_arrival() {
        Call first = add(1, false);
        Call second = add(2, false);
        assertSame(first, line.next(second));
        assertSame(second, line.next(first));
    }

    private Call add(int number, boolean retry) {
        Call call = Call.of(List.of(
                new Delivery("x", "tag" + number, number, 1, "lease", 1, 1, 0, 0, Long.MAX_VALUE, retry, Policy.NONE)));
        line.add(call);
        return call;
    }
}
