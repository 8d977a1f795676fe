package dev.freshet.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Two pages of an app that renders once and keeps what it rendered until it is told that the page's tag changed. */
public final class CachedPages {
    private static final List<String> TABLES = List.of("courses", "matches", "players", "aggregated_season_stats");

    private record Kept(String tag, JsonNode content, Instant at) {}

    private final SqlFile render = SqlFile.of("demo/pages");
    private final Map<String, Kept> kept = new HashMap<>();
    private final Transactions transactions;
    private final DemoTables tables;
    private final boolean told;
    private final Clock clock;
    private long changes;

    /**
     * @param told whether the targets are the demo's own receivers; otherwise others are told, and these pages show so
     */
    public CachedPages(Transactions transactions, boolean told, Clock clock) {
        this.transactions = transactions;
        this.tables = new DemoTables(transactions);
        this.told = told;
        this.clock = clock;
    }

    /** Each page as visitors get it, beside what it would be if it were rendered now. */
    public Map<String, Object> all() throws SQLException {
        long before = changes();
        List<Map<String, Object>> rendered = transactions.in(connection -> {
            tables.checkThatTheyAreOurs(connection, TABLES);
            return render.rows(connection, Map.of());
        });
        Map<String, Object> pages = new LinkedHashMap<>();
        for (Map<String, Object> row : rendered) {
            JsonNode now = DemoTables.json(row.get("content"));
            Kept page = kept(
                    (String) row.get("page"),
                    new Kept((String) row.get("tag"), now, clock.instant().truncatedTo(ChronoUnit.MILLIS)),
                    before);
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("tag", page.tag());
            shown.put("cached", page.content());
            shown.put("cached_at", page.at().toString());
            shown.put("database", now);
            shown.put("stale", !page.content().equals(now));
            pages.put((String) row.get("page"), shown);
        }
        return Map.of("told", told, "pages", pages);
    }

    public synchronized void invalidate(Collection<String> tags) {
        changes++;
        kept.values().removeIf(page -> tags.contains(page.tag()));
    }

    private synchronized long changes() {
        return changes;
    }

    /** What was rendered before a change was told of is shown once, but not kept. */
    private synchronized Kept kept(String page, Kept rendered, long before) {
        if (kept.containsKey(page)) {
            return kept.get(page);
        }
        if (changes == before) {
            kept.put(page, rendered);
        }
        return rendered;
    }
}
