package dev.freshet.queue;

import java.util.concurrent.atomic.LongAdder;

/**
 * Counts what coalescing saves. The counting happens at the hand-over, because only there are both the changes and the
 * calls that they cause known.
 */
public final class Coalescing {
    private final LongAdder changes = new LongAdder();
    private final LongAdder callsWithout = new LongAdder();
    private final LongAdder saved = new LongAdder();

    /** @param calls deliveries that the hand-over made due: one for each tag and target */
    void handedOver(long changes, int tags, long calls) {
        this.changes.add(changes);
        long without = tags == 0 ? 0 : changes * (calls / tags);
        this.callsWithout.add(without);
        this.saved.add(Math.max(0, without - calls)); // a counter that decreased would make the whole scrape fail
    }

    /** The number of pairs of a statement and a tag that it touched. */
    public long changes() {
        return changes.sum();
    }

    /** The number of calls that would be made if each change caused one call to each target. */
    public long callsWithout() {
        return callsWithout.sum();
    }

    public long saved() {
        return saved.sum();
    }
}
