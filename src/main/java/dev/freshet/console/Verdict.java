package dev.freshet.console;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One word on whether caches are fresh, and what speaks against it, the worst first. */
final class Verdict {
    /** From bad to good. */
    enum Level {
        down,
        stale,
        attention,
        fresh
    }

    /** @param view where in the console to look */
    record Problem(Level level, String what, Instant since, String view) {
        Map<String, Object> shown() {
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("level", level.name());
            shown.put("what", what);
            shown.put("since", since == null ? null : since.toString());
            shown.put("view", view);
            return shown;
        }
    }

    private Instant freshSince = Instant.now();
    private boolean wasFresh = true;

    /** @return {@code verdict}, {@code says}, {@code since}, {@code problems} */
    synchronized Map<String, Object> of(List<Problem> problems) {
        List<Problem> sorted = new ArrayList<>(problems);
        sorted.sort(Comparator.comparing(Problem::level)
                .thenComparing(Problem::since, Comparator.nullsLast(Comparator.naturalOrder())));
        Level worst = sorted.isEmpty() ? Level.fresh : sorted.get(0).level();
        if (worst == Level.fresh && !wasFresh) {
            freshSince = Instant.now();
        }
        wasFresh = worst == Level.fresh;
        Optional<Instant> since = sorted.stream()
                .filter(problem -> problem.level() == worst && problem.since() != null)
                .map(Problem::since)
                .min(Comparator.naturalOrder());
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("verdict", worst.name());
        answer.put("says", wasFresh ? "Everything is fresh" : sorted.get(0).what());
        answer.put(
                "since",
                wasFresh ? freshSince.toString() : since.map(Instant::toString).orElse(null));
        answer.put("problems", sorted.stream().map(Problem::shown).toList());
        return answer;
    }
}
