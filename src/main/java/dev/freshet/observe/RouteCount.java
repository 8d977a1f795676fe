package dev.freshet.observe;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.distribution.TimeWindowMax;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** How much one route has done. */
public final class RouteCount {
    /** As long as Micrometer's timers remember their maximum. */
    private static final Duration WINDOW = Duration.ofMinutes(1);

    private static final int WINDOWS = 3;

    private final LongAdder begun = new LongAdder();
    private final LongAdder ended = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder handled = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final TimeWindowMax longest = new TimeWindowMax(Clock.SYSTEM, WINDOW.toMillis(), WINDOWS);
    private volatile long lastMillis;

    /** @return a value to pass to {@link #end} */
    long begin() {
        begun.increment();
        return System.nanoTime();
    }

    void end(long since, boolean withFailure, boolean handledOne) {
        long took = System.nanoTime() - since;
        nanos.add(took);
        longest.record(took, TimeUnit.NANOSECONDS);
        if (withFailure) {
            failed.increment();
        } else {
            lastMillis = System.currentTimeMillis();
        }
        if (handledOne) {
            handled.increment();
        }
        ended.increment();
    }

    public long total() {
        return ended.sum();
    }

    public long failed() {
        return failed.sum();
    }

    /** Failures that the route, or one that it called, has handled. */
    public long handled() {
        return handled.sum();
    }

    public long inflight() {
        return Math.max(0, begun.sum() - ended.sum());
    }

    public long meanMillis() {
        return total() == 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(nanos.sum() / total());
    }

    /** When it last ended without a failure; null: never. */
    public Instant lastAt() {
        return lastMillis == 0 ? null : Instant.ofEpochMilli(lastMillis);
    }

    double nanos() {
        return nanos.sum();
    }

    double longest(TimeUnit unit) {
        return longest.poll(unit);
    }
}
