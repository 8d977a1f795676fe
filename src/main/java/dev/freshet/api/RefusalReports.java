package dev.freshet.api;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes refusals on, at most ten in any second, so that a flood of bad requests cannot become a flood of audit rows.
 */
public final class RefusalReports {

    static final int PER_SECOND = 10;

    private static final Logger LOG = LoggerFactory.getLogger(RefusalReports.class);
    private static final long SECOND = 1_000_000_000L;

    private final Consumer<RefusedRequest> sink;
    private final LongSupplier nanoTime;
    private final long[] passedAt = new long[PER_SECOND];
    private final AtomicLong total = new AtomicLong();
    private final AtomicLong unreported = new AtomicLong();
    private long passed;

    public RefusalReports(Consumer<RefusedRequest> sink) {
        this(sink, System::nanoTime);
    }

    public RefusalReports(Consumer<RefusedRequest> sink, LongSupplier nanoTime) {
        this.sink = sink;
        this.nanoTime = nanoTime;
    }

    /**
     * Counts a refusal.
     *
     * @return true if it may also be reported
     */
    public synchronized boolean count() {
        total.incrementAndGet();
        long now = nanoTime.getAsLong();
        int slot = (int) (passed % PER_SECOND);
        if (passed >= PER_SECOND && now - passedAt[slot] < SECOND) {
            unreported.incrementAndGet();
            return false;
        }
        passedAt[slot] = now;
        passed++;
        return true;
    }

    public void report(RefusedRequest refusal) {
        try {
            sink.accept(refusal);
        } catch (RuntimeException e) {
            LOG.warn("A refusal could not be passed on: {}", e.toString());
        }
    }

    public long total() {
        return total.get();
    }

    /** How many were counted but not reported. */
    public long unreported() {
        return unreported.get();
    }
}
