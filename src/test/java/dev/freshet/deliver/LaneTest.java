package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.policy.Policy;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How many retries a lane takes, and what it learns from the results of calls. */
class LaneTest {
    private final Lane lane = lane(16);

    @Test
    void a_quarter_of_the_connections_may_be_busy_with_retries() {
        assertEquals(4, lane.roomForRetries());
        IntStream.range(0, 4).forEach(i -> lane.hold(delivery(i, true)));
        assertEquals(0, lane.roomForRetries());
        lane.release(delivery(3, true));
        assertEquals(1, lane.roomForRetries());
        lane.hold(delivery(4, false));
        assertEquals(1, lane.roomForRetries(), "what is tried for the first time does not count");
    }

    @Test
    void successful_retries_make_room_for_more_of_them_and_failed_ones_take_it_back() {
        IntStream.range(0, 1_000).forEach(i -> lane.learn(delivery(i, true), true));
        assertEquals(lane.room() / 2, lane.roomForRetries(), "what comes meanwhile finds room, too");
        IntStream.range(0, 20).forEach(i -> lane.learn(delivery(i, true), false));
        assertEquals(4, lane.roomForRetries());
    }

    @Test
    void a_lane_where_most_calls_fail_makes_no_immediate_second_attempt() {
        assertTrue(lane.isMostlySucceeding());
        IntStream.range(0, 20).forEach(i -> lane.learn(delivery(i, false), false));
        assertFalse(lane.isMostlySucceeding());
        IntStream.range(0, 20).forEach(i -> lane.learn(delivery(i, false), true));
        assertTrue(lane.isMostlySucceeding());
    }

    @Test
    void a_lane_of_one_connection_has_room_for_one_retry() {
        Lane narrow = lane(1);
        narrow.room();
        assertEquals(1, narrow.roomForRetries());
    }

    @Test
    void deliveries_that_wait_for_replicas_take_no_room_from_those_that_can_begin() {
        Lane lane = lane(4);
        assertEquals(4 * 16, lane.room(0));
        assertEquals(4 * (16 + 40), lane.room(2), "two seconds of calls that take 50 ms each");
    }

    private static Lane lane(int concurrency) {
        Target target = new Target();
        target.setName("x");
        target.setConcurrency(concurrency);
        Lane lane = new Lane(target, Duration.ofSeconds(30));
        lane.room();
        return lane;
    }

    private static Delivery delivery(int number, boolean retry) {
        return new Delivery("x", "tag" + number, number, 1, "lease", 1, 1, 0, 0, Long.MAX_VALUE, retry, Policy.NONE);
    }
}
