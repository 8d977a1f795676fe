package dev.freshet.deliver;

import java.time.Duration;

/**
 * How far back a claim searches for what is due. After a claim that found less than it could take, nothing that was due
 * before it is left, except for what a transaction of ours that was open then adds later. None stays open for as long
 * as {@link #MARGIN}. This only narrows the search: once a minute the claim looks at everything.
 */
final class LookBack {
    private static final double EVERYTHING = Duration.ofDays(36_500).toSeconds();
    private static final long FROM_THE_BEGINNING_NANOS = Duration.ofMinutes(1).toNanos();
    /**
     * Our transactions take less than a tenth of this. If one takes longer, the next look at everything finds what it
     * left.
     */
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
