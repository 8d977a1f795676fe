package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.api.Times;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What invalidating a tag or pattern would hit, without doing it. */
public final class DryRun {
    private static final int SHOWN = 100;
    /** Of what a regular expression may match, as much is looked at. */
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

    public Map<String, Object> of(Object tag, Object pattern) throws SQLException {
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

    private Map<String, Object> answer(Connection c, TagPattern asked) throws SQLException {
        patience.rows(c, Map.of());
        Map<String, Object> which = new HashMap<>();
        boolean regex = asked.kind() == TagPattern.Kind.regex;
        which.put("like", asked.like());
        which.put("tags", regex ? matching(c, tagsLike, asked) : null);
        which.put("keys", regex ? matching(c, keysLike, asked) : null);
        which.put("limit", SHOWN + 1);
        List<Map<String, Object>> waits = Times.readable(waiting.rows(c, which));
        List<Map<String, Object>> seen = Times.readable(recent.rows(c, which));
        Map<String, Object> registry = registry(c, asked, which);
        Set<String> tags = new LinkedHashSet<>();
        if (asked.kind() == TagPattern.Kind.tag) {
            tags.add(asked.text());
        }
        waits.forEach(row -> tags.add((String) row.get("tag")));
        seen.forEach(row -> tags.add((String) row.get("tag")));
        ((List<?>) registry.get("tags")).forEach(tag -> tags.add((String) tag));

        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("asked", asked.text());
        answer.put("kind", asked.kind().name());
        answer.put("watches", hit(watches.rows(c, Map.of()), asked, tags));
        answer.put(
                "policies",
                policies.rows(c, Map.of("tags", List.copyOf(tags).subList(0, Math.min(SHOWN, tags.size())))));
        answer.put("waiting", first(waits));
        answer.put("waiting_capped", waits.size() > SHOWN);
        answer.put("recent", first(seen));
        answer.put("recent_capped", seen.size() > SHOWN);
        answer.put("entries", registry);
        answer.put("tags", List.copyOf(tags).subList(0, Math.min(SHOWN, tags.size())));
        answer.put("tags_capped", tags.size() > SHOWN);
        answer.put(
                "targets",
                targets.rows(c, Map.of()).stream()
                        .filter(target -> (Boolean) target.get("takes_queue"))
                        .map(target -> calls(target, tags.size()))
                        .toList());
        return answer;
    }

    /** As invalidation itself does: SQL narrows, the expression decides. */
    private static List<String> matching(Connection c, SqlFile candidates, TagPattern asked) throws SQLException {
        List<String> matching = new ArrayList<>();
        long end = System.nanoTime() + PATIENCE_NANOS;
        int[] looked = {0};
        candidates.with(Map.of("like", asked.like(), "limit", CANDIDATES + 1)).each(c, CHUNK, row -> {
            if (++looked[0] > CANDIDATES || System.nanoTime() > end) {
                throw tooLong();
            }
            if (asked.pattern().matches(row.getString(1))) {
                matching.add(row.getString(1));
            }
        });
        return matching;
    }

    private Map<String, Object> registry(Connection c, TagPattern asked, Map<String, Object> which)
            throws SQLException {
        Map<String, Object> registry = new LinkedHashMap<>();
        Map<String, Object> by = new HashMap<>(which);
        by.put("tag", asked.kind() == TagPattern.Kind.tag ? asked.text() : null);
        List<Map<String, Object>> found = entries.rows(c, by);
        Set<String> tags = new LinkedHashSet<>();
        List<Map<String, Object>> shown = new ArrayList<>();
        for (Map<String, Object> row : found) {
            List<String> of = List.of((String[]) ((Array) row.get("tags")).getArray());
            tags.addAll(of);
            shown.add(Map.of("key", row.get("cache_key"), "tags", of));
        }
        registry.put("count", found.isEmpty() ? 0L : found.get(0).get("matching"));
        registry.put("entries", first(shown));
        registry.put("tags", List.copyOf(tags));
        return registry;
    }

    private static List<Map<String, Object>> hit(List<Map<String, Object>> all, TagPattern asked, Set<String> tags)
            throws SQLException {
        List<Map<String, Object>> hit = new ArrayList<>();
        for (Map<String, Object> watch : all) {
            for (String template : (String[]) ((Array) watch.get("templates")).getArray()) {
                if (asked.takesSomeOf(template)
                        || asked.kind() == TagPattern.Kind.regex
                                && tags.stream().anyMatch(tag -> TagPattern.makes(template, tag))) {
                    Map<String, Object> shown = new LinkedHashMap<>();
                    shown.put("table", watch.get("table_name"));
                    shown.put("template", template);
                    shown.put("due", SqlFile.texts(watch.get("due")));
                    shown.put("problem", watch.get("problem"));
                    hit.add(shown);
                }
            }
        }
        return hit;
    }

    private static Map<String, Object> calls(Map<String, Object> target, int tags) {
        Map<String, Object> shown = new LinkedHashMap<>();
        int batch = ((Number) target.get("batch")).intValue();
        shown.put("name", target.get("name"));
        shown.put("batch", batch);
        shown.put("open", target.get("opened_at") != null);
        shown.put("calls", (tags + batch - 1) / batch);
        return shown;
    }

    private static List<Map<String, Object>> first(List<Map<String, Object>> rows) {
        return rows.subList(0, Math.min(SHOWN, rows.size()));
    }
}
