package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.console.DryRunAnswer.EntryHit;
import dev.freshet.console.DryRunAnswer.RecentTag;
import dev.freshet.console.DryRunAnswer.RegistryHit;
import dev.freshet.console.DryRunAnswer.TagPolicy;
import dev.freshet.console.DryRunAnswer.TargetCalls;
import dev.freshet.console.DryRunAnswer.WaitingTag;
import dev.freshet.console.DryRunAnswer.WatchHit;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Shows what invalidating a tag or pattern would hit, without doing it. */
public final class DryRun {
    private record Watch(String tableName, List<String> templates, List<String> due, String problem) {}

    private record FoundEntry(String cacheKey, List<String> tags, long matching) {}

    private record Candidates(String like, int limit) {}

    /** @param tags the matching tags, if only a regular expression can tell */
    private record Tags(String like, List<String> tags, int limit) {}

    /** @param keys the matching keys, likewise */
    private record Entries(Tags tags, String tag, List<String> keys) {}

    private static final int SHOWN = 100;
    /** How many candidates for a regular expression are examined. */
    private static final int CANDIDATES = 100_000;

    private static final int CHUNK = 1000;
    private static final long PATIENCE_NANOS = 5_000_000_000L;
    private static final String TOOK_TOO_LONG = "57014";

    private final SqlFile patience = SqlFile.of("console/patience");
    private final SqlFile watches = SqlFile.of("console/watches");
    private final SqlFile waiting = SqlFile.of("console/waiting");
    private final SqlFile recent = SqlFile.of("console/recent");
    private final SqlFile tagsLike = SqlFile.of("console/tags-like");
    private final SqlFile keysLike = SqlFile.of("console/keys-like");
    private final SqlFile entries = SqlFile.of("console/entries");
    private final SqlFile targets = SqlFile.of("console/targets");
    private final SqlFile policies = SqlFile.of("console/policies-of");
    private final Transactions transactions;

    public DryRun(Transactions transactions) {
        this.transactions = transactions;
    }

    public DryRunAnswer of(Object tag, Object pattern) throws SQLException {
        TagPattern asked = TagPattern.of(tag, pattern);
        try {
            return transactions.in(c -> answer(c, asked));
        } catch (SQLException e) {
            if (TOOK_TOO_LONG.equals(e.getSQLState())) {
                throw tooLong();
            }
            throw e;
        }
    }

    private static Refused tooLong() {
        return new Refused(
                400, "pattern: takes too long to match here; one that begins with plain characters is quicker");
    }

    private DryRunAnswer answer(Connection c, TagPattern asked) throws SQLException {
        patience.rows(c, Map.of());
        Entries which = which(c, asked);
        List<WaitingTag> waits = waiting.rows(c, which.tags(), WaitingTag.class);
        List<RecentTag> seen = recent.rows(c, which.tags(), RecentTag.class);
        RegistryHit registry = registry(c, which);
        Set<String> tags = new LinkedHashSet<>();
        if (asked.kind() == TagPattern.Kind.tag) {
            tags.add(asked.text());
        }
        waits.forEach(row -> tags.add(row.tag()));
        seen.forEach(row -> tags.add(row.tag()));
        tags.addAll(registry.tags());
        List<String> shown = first(List.copyOf(tags));
        return new DryRunAnswer(
                asked.text(),
                asked.kind(),
                hit(watches.rows(c, Map.of(), Watch.class), asked, tags),
                policies.rows(c, Map.of("tags", shown), TagPolicy.class),
                first(waits),
                waits.size() > SHOWN,
                first(seen),
                seen.size() > SHOWN,
                registry,
                shown,
                tags.size() > SHOWN,
                targets.rows(c, Map.of(), TargetState.class).stream()
                        .filter(TargetState::takesQueue)
                        .map(target -> calls(target, tags.size()))
                        .toList());
    }

    /** The parameters that the statements need to find what is asked for. */
    private Entries which(Connection c, TagPattern asked) throws SQLException {
        boolean regex = asked.kind() == TagPattern.Kind.regex;
        return new Entries(
                new Tags(asked.like(), regex ? matching(c, tagsLike, asked) : null, SHOWN + 1),
                asked.kind() == TagPattern.Kind.tag ? asked.text() : null,
                regex ? matching(c, keysLike, asked) : null);
    }

    /** As in the invalidation itself: SQL narrows the search, and the expression decides. */
    private static List<String> matching(Connection c, SqlFile candidates, TagPattern asked) throws SQLException {
        List<String> matching = new ArrayList<>();
        long end = System.nanoTime() + PATIENCE_NANOS;
        int[] looked = {0};
        candidates.with(new Candidates(asked.like(), CANDIDATES + 1)).each(c, CHUNK, row -> {
            if (++looked[0] > CANDIDATES || System.nanoTime() > end) {
                throw tooLong();
            }
            if (asked.pattern().matches(row.getString(1))) {
                matching.add(row.getString(1));
            }
        });
        return matching;
    }

    private RegistryHit registry(Connection c, Entries which) throws SQLException {
        List<FoundEntry> found = entries.rows(c, which, FoundEntry.class);
        Set<String> tags = new LinkedHashSet<>();
        found.forEach(entry -> tags.addAll(entry.tags()));
        return new RegistryHit(
                found.isEmpty() ? 0 : found.get(0).matching(),
                first(found).stream()
                        .map(entry -> new EntryHit(entry.cacheKey(), entry.tags()))
                        .toList(),
                List.copyOf(tags));
    }

    private static List<WatchHit> hit(List<Watch> all, TagPattern asked, Set<String> tags) {
        List<WatchHit> hit = new ArrayList<>();
        for (Watch watch : all) {
            for (String template : watch.templates()) {
                if (asked.takesSomeOf(template)
                        || asked.kind() == TagPattern.Kind.regex
                                && tags.stream().anyMatch(tag -> TagPattern.makes(template, tag))) {
                    hit.add(new WatchHit(watch.tableName(), template, watch.due(), watch.problem()));
                }
            }
        }
        return hit;
    }

    private static TargetCalls calls(TargetState target, int tags) {
        int batch = target.batch();
        return new TargetCalls(target.name(), batch, target.openedAt() != null, (tags + batch - 1) / batch);
    }

    private static <T> List<T> first(List<T> rows) {
        return rows.subList(0, Math.min(SHOWN, rows.size()));
    }
}
