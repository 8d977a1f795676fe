package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A one-word verdict on whether caches are fresh, and the findings against it, worst first. */
final class Verdict {
    /** From bad to good; findings are sorted in this order. */
    enum Level {
        down,
        stale,
        attention,
        fresh
    }

    /** @param view where in the console to look */
    @JsonAnswer
    record Finding(Level level, String what, @InUtc Instant since, String view) {}

    @JsonAnswer
    record Judged(Level verdict, String says, @InUtc Instant since, List<Finding> problems) {}

    private Instant freshSince = Instant.now();
    private boolean wasFresh = true;

    synchronized Judged of(List<Finding> findings) {
        List<Finding> sorted = new ArrayList<>(findings);
        sorted.sort(Comparator.comparing(Finding::level)
                .thenComparing(Finding::since, Comparator.nullsLast(Comparator.naturalOrder())));
        Level worst = sorted.isEmpty() ? Level.fresh : sorted.get(0).level();
        if (worst == Level.fresh && !wasFresh) {
            freshSince = Instant.now();
        }
        wasFresh = worst == Level.fresh;
        return wasFresh
                ? new Judged(worst, "Everything is fresh", freshSince, sorted)
                : new Judged(worst, sorted.get(0).what(), oldest(sorted, worst), sorted);
    }

    private static Instant oldest(List<Finding> findings, Level level) {
        return findings.stream()
                .filter(finding -> finding.level() == level && finding.since() != null)
                .map(Finding::since)
                .min(Comparator.naturalOrder())
                .orElse(null);
    }
}
