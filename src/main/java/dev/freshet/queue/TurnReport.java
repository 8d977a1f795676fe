package dev.freshet.queue;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a turn handed over. {@code mine} is false if another instance got the turn before everything was done; that
 * instance may have looked before the last change was in the queue.
 */
public record TurnReport(boolean mine, List<String> handed, int buckets, List<Long> handovers) {
    static final TurnReport NOTHING = new TurnReport(true, List.of(), 0, List.of());
    static final TurnReport NOT_MINE = new TurnReport(false, List.of(), 0, List.of());

    public int tags() {
        return handed.size();
    }

    /** Combines this report with that of a further attempt. */
    TurnReport and(TurnReport further) {
        Set<String> tags = new LinkedHashSet<>(handed);
        tags.addAll(further.handed);
        List<Long> all = new ArrayList<>(handovers);
        all.addAll(further.handovers);
        return new TurnReport(further.mine, List.copyOf(tags), buckets + further.buckets, all);
    }
}
