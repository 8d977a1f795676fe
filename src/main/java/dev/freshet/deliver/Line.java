package dev.freshet.deliver;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.Consumer;

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

    /**
     * Calls that are too late are passed over. Otherwise a call whose place in the route's queue was lost, as when the
     * route was replaced, would take the place of a later one, and that of the next, for ever.
     *
     * @param tooLate is told each call that cannot begin under its lease any more
     * @return the call to make next; null if it has begun already and nothing else waits
     */
    synchronized Call next(Call woken, Consumer<Call> tooLate) {
        for (Place first = waiting.poll(); first != null; first = waiting.poll()) {
            Call call = first.call();
            if (call.isInTime()) {
                return call.take() ? call : null;
            } else if (call.take()) {
                tooLate.accept(call);
            }
        }
        return woken.take() ? woken : null;
    }
}
