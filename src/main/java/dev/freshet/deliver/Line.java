package dev.freshet.deliver;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * The calls that wait for one target's connections. The route's own queue says only that one more waits: which it is,
 * is decided when a connection is free, so that an urgent call overtakes those that came before it, and a first attempt
 * those that are not the first.
 */
final class Line {
    /** For each step of priority as if it had come so much earlier: what is overtaken still has its turn. */
    private static final long HEAD_START_NANOS = Duration.ofSeconds(10).toNanos();
    /** What was tried or given up before, as after a replay, lets through what comes within so long. */
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

    /** @return what goes next; null where that has begun already, and nothing else waits */
    synchronized Call next(Call woken) {
        Place first = waiting.poll();
        Call next = first == null ? woken : first.call();
        return next.take() ? next : null;
    }
}
