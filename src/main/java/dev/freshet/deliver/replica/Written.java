package dev.freshet.deliver.replica;

import java.util.Map;
import java.util.TreeMap;

/**
 * Positions that calls have covered, and when (System.nanoTime) each became known. This turns a replica's lag into a
 * time. Positions of the same moment are merged and keep the time of the first.
 */
final class Written {
    private static final int MOST = 4096;
    private static final long SHORTEST_MOMENT_NANOS = 1_000_000;

    private TreeMap<Long, Long> knownAt = new TreeMap<>();
    private long moment = SHORTEST_MOMENT_NANOS;

    void note(long position, long now) {
        Map.Entry<Long, Long> last = knownAt.lastEntry();
        if (last != null && position <= last.getKey()) {
            return;
        }
        boolean sameMoment = last != null && now - last.getValue() < moment;
        if (sameMoment) {
            knownAt.remove(last.getKey());
        }
        knownAt.put(position, sameMoment ? last.getValue() : Long.valueOf(now));
        if (knownAt.size() > MOST) {
            takeLongerMoments();
        }
    }

    private void takeLongerMoments() {
        TreeMap<Long, Long> before = knownAt;
        knownAt = new TreeMap<>();
        moment *= 2;
        before.forEach(this::note);
    }

    /** When the first position beyond this one became known; null: there is none. */
    Long beyondSince(long replayed) {
        Map.Entry<Long, Long> next = knownAt.higherEntry(replayed);
        return next == null ? null : next.getValue();
    }

    /** All replicas are beyond this position. */
    void forget(long replayed) {
        knownAt.headMap(replayed, true).clear();
        if (knownAt.isEmpty()) {
            moment = SHORTEST_MOMENT_NANOS;
        }
    }
}
