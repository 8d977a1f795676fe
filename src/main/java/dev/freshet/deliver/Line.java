package dev.freshet.deliver;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * The calls that wait for one target's connections. The route's own queue only says that one more call waits. Which
 * call is made is decided when a connection becomes free, so that an urgent call overtakes earlier ones, and a first
 * attempt overtakes retries.
 */
final class Line {
    /**
     * Each step of priority counts as if the call had arrived this much earlier. So calls that are overtaken still get
     * their turn.
     */
    private static final long HEAD_START_NANOS = Duration.ofSeconds(10).toNanos();
    /** A retry, or a call that was replayed after it was given up, yields to calls that arrive within this time. */
    private static final long GIVES_WAY_NANOS = Duration.ofSeconds(1).toNanos();

    private record Place(Call call, long since, long number) {}

    private final PriorityQueue<Place> waiting =
            new PriorityQueue<>(Comparator.comparingLong(Place::since).thenComparingLong(Place::number));
    private final long begun = System.nanoTime();
    private long number;

    synchronized void add(Call call) {
        long since = System.nanoTime()
                - begun
                - call.aboveUsual() * HEAD_START_NANOS
                + (call.isRetry() ? GIVES_WAY_NANOS : 0);
        waiting.add(new Place(call, since, number++));
    }

    /** @return the call to make next; null if it has begun already and nothing else waits */
    synchronized Call next(Call woken) {
        Place first = waiting.poll();
        Call next = first == null ? woken : first.call();
        return next.take() ? next : null;
    }
}
