package dev.freshet.cache;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** Maps what happened to an entity to tags, by the table cache_tag_rules, which is read at every call. */
public final class EntityRules {
    record TagRule(String name, String option, boolean isEvent) {}

    record RuleTags(List<String> tags) {}

    /** @param cacheType null if none was requested */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ClearedCache(boolean success, long invalidatedEntries, String cacheType) {}

    /** @param ids the entity's ids, as JSON */
    private record Meant(List<String> names, String ids) {}

    private record Stale(List<String> tags, String triggeredBy) {}

    private static final List<String> IDS = List.of("clientId", "productId", "moduleId");
    private static final int LONGEST_ID = 200;

    private final SqlFile rules = SqlFile.of("cache/tag-rules");
    private final SqlFile tagsOfRules = SqlFile.of("cache/tags-of-rules");
    private final SqlFile invalidateTags = SqlFile.of("cache/invalidate-tags");
    private final Transactions transactions;

    public EntityRules(Transactions transactions) {
        this.transactions = transactions;
    }

    /** Takes {@code {"type": "products", "clientId": "7"}}. */
    public ClearedCache clear(Map<String, Object> body) throws SQLException {
        Map<String, String> ids = ids(body);
        return transactions.in(c -> {
            List<String> types = names(
                    rules.rows(c, Map.of(), TagRule.class).stream().filter(rule -> !rule.isEvent()), TagRule::name);
            if (!(body.get("type") instanceof String type) || !types.contains(type)) {
                throw new Refused(
                        Problem.of(400, "Invalid cache type", "type: must be one of " + String.join(", ", types)));
            }
            return new ClearedCache(true, invalidate(c, tags(c, List.of(type), ids), "cache-clear"), type);
        });
    }

    /**
     * Takes the options of invalidateRelatedCaches, {@code {"tags": […]}}, or {@code {"event": "onProductCreated", …}}.
     */
    public ClearedCache invalidate(Map<String, Object> body) throws SQLException {
        Map<String, String> ids = ids(body);
        List<String> named = body.get("tags") == null ? List.of() : EntryRequest.tags("tags", body.get("tags"));
        long gone = transactions.in(c -> {
            List<TagRule> known = rules.rows(c, Map.of(), TagRule.class);
            List<String> tags = new ArrayList<>(named);
            tags.addAll(tags(c, meant(body, known), ids));
            List<String> options = names(known.stream().filter(rule -> rule.option() != null), TagRule::option);
            if (tags.isEmpty() && !body.containsKey("tags") && options.stream().noneMatch(body::containsKey)) {
                throw new Refused(
                        400,
                        "body: names nothing to invalidate; write tags, an event, or one of "
                                + String.join(", ", options) + " as true");
            }
            return tags.isEmpty() ? 0 : invalidate(c, tags.stream().distinct().toList(), "cache-invalidate");
        });
        return new ClearedCache(true, gone, null);
    }

    private static List<String> meant(Map<String, Object> body, List<TagRule> known) {
        List<String> meant = new ArrayList<>();
        Object event = body.get("event");
        if (event != null) {
            List<String> events = names(known.stream().filter(TagRule::isEvent), TagRule::name);
            if (!(event instanceof String name) || !events.contains(name)) {
                throw new Refused(400, "event: must be one of " + String.join(", ", events));
            }
            meant.add(name);
        }
        for (TagRule rule : known) {
            Object wanted = rule.option() == null ? null : body.get(rule.option());
            if (wanted != null && !(wanted instanceof Boolean)) {
                throw new Refused(400, rule.option() + ": must be true or false");
            }
            if (Boolean.TRUE.equals(wanted)) {
                meant.add(rule.name());
            }
        }
        return meant;
    }

    private static List<String> names(Stream<TagRule> rules, Function<TagRule, String> name) {
        return rules.map(name).sorted().toList();
    }

    private List<String> tags(Connection connection, List<String> names, Map<String, String> ids) throws SQLException {
        return tagsOfRules
                .row(connection, new Meant(names, Json.text(ids)), RuleTags.class)
                .tags();
    }

    private long invalidate(Connection connection, List<String> tags, String triggeredBy) throws SQLException {
        return invalidateTags.row(connection, new Stale(tags, triggeredBy), Long.class);
    }

    private static Map<String, String> ids(Map<String, Object> body) {
        Map<String, String> ids = new LinkedHashMap<>();
        for (String name : IDS) {
            Object given = body.get(name);
            if ("".equals(given)) {
                continue; // an empty field of a form counts as missing
            }
            if (given instanceof String text && text.codePointCount(0, text.length()) <= LONGEST_ID) {
                ids.put(name, text);
            } else if (given instanceof Integer || given instanceof Long || given instanceof BigInteger) {
                ids.put(name, given.toString());
            } else if (given != null) {
                throw new Refused(
                        400, name + ": must be a string of at most " + LONGEST_ID + " characters, or a whole number");
            }
        }
        return ids;
    }
}
