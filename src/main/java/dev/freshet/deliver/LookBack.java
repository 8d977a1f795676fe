package dev.freshet.deliver;

import java.time.Duration;

/**
 * How far back a claim looks for what is due. What was due earlier than the last claim that found less than it would
 * have taken has been taken; only a transaction of ours that was open then may add to it, and none is open for as long
 * as {@link #MARGIN}. Once a minute the claim looks at everything, so this decides nothing: it only narrows the
 * search.
 */
final class LookBack {
    private static final double EVERYTHING = Duration.ofDays(36_500).toSeconds();
    private static final long FROM_THE_BEGINNING_NANOS = Duration.ofMinutes(1).toNanos();
    /** None of ours takes a tenth of it; what one that did left behind is found by the next look at everything. */
    private static final Duration MARGIN = Duration.ofSeconds(15);

    private Long emptiedAt;
    private long begunAnewAt = System.nanoTime() - FROM_THE_BEGINNING_NANOS;

    synchronized double seconds() {
        long now = System.nanoTime();
        if (emptiedAt == null || now - begunAnewAt >= FROM_THE_BEGINNING_NANOS) {
            begunAnewAt = now;
            return EVERYTHING;
        }
        return (now - emptiedAt) / 1e9 + MARGIN.toSeconds();
    }

    /** @param claimedAt before the statement began */
    synchronized void emptied(long claimedAt) {
        emptiedAt = claimedAt;
    }
}
