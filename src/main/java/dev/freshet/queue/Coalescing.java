package dev.freshet.queue;

import java.util.concurrent.atomic.LongAdder;

/**
 * What coalescing saves, counted where changes are handed over: only there are the changes known together with the
 * calls they make.
 */
public final class Coalescing {
    private final LongAdder changes = new LongAdder();
    private final LongAdder callsWithout = new LongAdder();
    private final LongAdder saved = new LongAdder();

    /** @param calls that are owed now: one for each tag and target */
    void handedOver(long changes, int tags, long calls) {
        this.changes.add(changes);
        long without = tags == 0 ? 0 : changes * (calls / tags);
        this.callsWithout.add(without);
        this.saved.add(Math.max(0, without - calls)); // a counter that went back would fail the whole scrape
    }

    /** Statements that touched a tag, each as often as it touched one. */
    public long changes() {
        return changes.sum();
    }

    /** If each change made a call to each target. */
    public long callsWithout() {
        return callsWithout.sum();
    }

    public long saved() {
        return saved.sum();
    }
}
