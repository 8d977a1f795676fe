package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
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
    private static final String BAD_REGEX = "2201B";
    private static final String TOOK_TOO_LONG = "57014";

    private final SqlFile patience = SqlFile.of("console-patience");
    private final SqlFile watches = SqlFile.of("console-watches");
    private final SqlFile waiting = SqlFile.of("console-waiting");
    private final SqlFile recent = SqlFile.of("console-recent");
    private final SqlFile hasRegistry = SqlFile.of("console-has-registry");
    private final SqlFile entries = SqlFile.of("console-entries");
    private final SqlFile targets = SqlFile.of("console-targets");
    private final Transactions transactions;

    public DryRun(Transactions transactions) {
        this.transactions = transactions;
    }

    public Map<String, Object> of(Object tag, Object pattern) throws SQLException {
        TagPattern asked = TagPattern.of(tag, pattern);
        try {
            return transactions.in(c -> answer(c, asked));
        } catch (SQLException e) {
            if (BAD_REGEX.equals(e.getSQLState())) {
                throw new Refused(400, "pattern: is no regular expression (" + e.getMessage().replaceFirst("(?s)^ERROR: ", "").lines().findFirst().orElse("") + ")");
            }
            if (TOOK_TOO_LONG.equals(e.getSQLState())) {
                throw new Refused(400, "pattern: takes too long to match here; one that begins with plain characters is quicker");
            }
            throw e;
        }
    }

    private Map<String, Object> answer(Connection c, TagPattern asked) throws SQLException {
        patience.rows(c, Map.of());
        Map<String, Object> which = new HashMap<>();
        which.put("like", asked.like());
        which.put("regex", asked.regex());
        which.put("limit", SHOWN + 1);
        List<Map<String, Object>> waits = readable(waiting.rows(c, which));
        List<Map<String, Object>> seen = readable(recent.rows(c, which));
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
        answer.put("waiting", first(waits));
        answer.put("waiting_capped", waits.size() > SHOWN);
        answer.put("recent", first(seen));
        answer.put("recent_capped", seen.size() > SHOWN);
        answer.put("entries", registry);
        answer.put("tags", List.copyOf(tags).subList(0, Math.min(SHOWN, tags.size())));
        answer.put("tags_capped", tags.size() > SHOWN);
        answer.put("targets", targets.rows(c, Map.of()).stream().filter(target -> (Boolean) target.get("takes_queue")).map(target -> calls(target, tags.size())).toList());
        return answer;
    }

    /** The registry is younger than the queue: a database may not have it. */
    private Map<String, Object> registry(Connection c, TagPattern asked, Map<String, Object> which) throws SQLException {
        Map<String, Object> registry = new LinkedHashMap<>();
        boolean there = (Boolean) hasRegistry.rows(c, Map.of()).get(0).get("there");
        Map<String, Object> by = new HashMap<>(which);
        by.put("tag", asked.kind() == TagPattern.Kind.tag ? asked.text() : null);
        List<Map<String, Object>> found = there ? entries.rows(c, by) : List.of();
        Set<String> tags = new LinkedHashSet<>();
        List<Map<String, Object>> shown = new ArrayList<>();
        for (Map<String, Object> row : found) {
            List<String> of = List.of((String[]) ((Array) row.get("tags")).getArray());
            tags.addAll(of);
            shown.add(Map.of("key", row.get("cache_key"), "tags", of));
        }
        registry.put("available", there);
        registry.put("count", found.isEmpty() ? 0L : found.get(0).get("matching"));
        registry.put("entries", first(shown));
        registry.put("tags", List.copyOf(tags));
        return registry;
    }

    private static List<Map<String, Object>> hit(List<Map<String, Object>> all, TagPattern asked, Set<String> tags) throws SQLException {
        List<Map<String, Object>> hit = new ArrayList<>();
        for (Map<String, Object> watch : all) {
            for (String template : (String[]) ((Array) watch.get("templates")).getArray()) {
                if (asked.takesSomeOf(template) || asked.kind() == TagPattern.Kind.regex && tags.stream().anyMatch(tag -> TagPattern.makes(template, tag))) {
                    Map<String, Object> shown = new LinkedHashMap<>();
                    shown.put("table", watch.get("table_name"));
                    shown.put("template", template);
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

    private static List<Map<String, Object>> readable(List<Map<String, Object>> rows) {
        rows.forEach(row -> row.replaceAll((name, value) -> value instanceof Timestamp time ? time.toInstant().toString() : value));
        return rows;
    }

    private static List<Map<String, Object>> first(List<Map<String, Object>> rows) {
        return rows.subList(0, Math.min(SHOWN, rows.size()));
    }
}
