package dev.freshet.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
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

/**
 * Two pages of an app that renders a page once and keeps the result until it is told that the page's tag has changed.
 */
public final class CachedPages {
    private static final List<String> TABLES = List.of("courses", "matches", "players", "aggregated_season_stats");

    private record RenderedPage(String page, String tag, String content) {}

    /** A page as visitors get it, and what it would be if it were rendered now. */
    @JsonAnswer
    record ShownPage(String tag, JsonNode cached, @InUtc Instant cachedAt, JsonNode database, boolean stale) {}

    /** @param told whether these pages are told of changes */
    @JsonAnswer
    record ShownPages(boolean told, Map<String, ShownPage> pages) {}

    private record Kept(String tag, JsonNode content, Instant at) {}

    private final SqlFile render = SqlFile.of("demo/pages");
    private final Map<String, Kept> kept = new HashMap<>();
    private final Transactions transactions;
    private final DemoTables tables;
    private final boolean told;
    private final Clock clock;
    private long changes;

    /**
     * @param told whether the targets are the demo's own receivers; if not, these pages are never told, and show that
     */
    public CachedPages(Transactions transactions, boolean told, Clock clock) {
        this.transactions = transactions;
        this.tables = new DemoTables(transactions);
        this.told = told;
        this.clock = clock;
    }

    public ShownPages all() throws SQLException {
        long before = changes();
        List<RenderedPage> rendered = transactions.in(connection -> {
            tables.checkThatTheyAreOurs(connection, TABLES);
            return render.rows(connection, Map.of(), RenderedPage.class);
        });
        Map<String, ShownPage> pages = new LinkedHashMap<>();
        for (RenderedPage row : rendered) {
            JsonNode now = DemoTables.json(row.content());
            Instant at = clock.instant().truncatedTo(ChronoUnit.MILLIS);
            Kept page = kept(row.page(), new Kept(row.tag(), now, at), before);
            boolean stale = !page.content().equals(now);
            pages.put(row.page(), new ShownPage(page.tag(), page.content(), page.at(), now, stale));
        }
        return new ShownPages(told, pages);
    }

    public synchronized void invalidate(Collection<String> tags) {
        changes++;
        kept.values().removeIf(page -> tags.contains(page.tag()));
    }

    private synchronized long changes() {
        return changes;
    }

    /** A page that was rendered before a change was announced is shown once, but not kept. */
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
