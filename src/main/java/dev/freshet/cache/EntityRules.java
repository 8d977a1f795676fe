package dev.freshet.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What happened to an entity, and which tags that stands for: the table cache_tag_rules says it, asked anew at every
 * call.
 */
public final class EntityRules {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> IDS = List.of("clientId", "productId", "moduleId");
    private static final int LONGEST_ID = 200;

    private final SqlFile rules = SqlFile.of("cache/tag-rules");
    private final SqlFile tagsOfRules = SqlFile.of("cache/tags-of-rules");
    private final SqlFile invalidateTags = SqlFile.of("cache/invalidate-tags");
    private final Transactions transactions;

    public EntityRules(Transactions transactions) {
        this.transactions = transactions;
    }

    /** {@code {"type": "products", "clientId": "7"}} */
    public Map<String, Object> clear(Map<String, Object> body) throws SQLException {
        Map<String, String> ids = ids(body);
        return transactions.in(c -> {
            List<String> types = rules.rows(c, Map.of()).stream()
                    .filter(rule -> !(Boolean) rule.get("is_event"))
                    .map(rule -> (String) rule.get("name"))
                    .sorted()
                    .toList();
            if (!(body.get("type") instanceof String type) || !types.contains(type)) {
                throw new Refused(
                        Problem.of(400, "Invalid cache type", "type: must be one of " + String.join(", ", types)));
            }
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("success", true);
            answer.put("invalidated_entries", invalidate(c, tags(c, List.of(type), ids), "cache-clear"));
            answer.put("cache_type", type);
            return answer;
        });
    }

    /** The options of invalidateRelatedCaches, {@code {"tags": […]}}, or {@code {"event": "onProductCreated", …}}. */
    public Map<String, Object> invalidate(Map<String, Object> body) throws SQLException {
        Map<String, String> ids = ids(body);
        List<String> named = body.get("tags") == null ? List.of() : Entries.tags("tags", body.get("tags"));
        long gone = transactions.in(c -> {
            List<Map<String, Object>> known = rules.rows(c, Map.of());
            List<String> tags = new ArrayList<>(named);
            tags.addAll(tags(c, meant(body, known), ids));
            if (tags.isEmpty()) {
                throw new Refused(
                        400,
                        "body: names nothing to invalidate; write tags, an event, or one of "
                                + String.join(
                                        ", ",
                                        known.stream()
                                                .map(rule -> (String) rule.get("option"))
                                                .filter(Objects::nonNull)
                                                .sorted()
                                                .toList())
                                + " as true");
            }
            return invalidate(c, tags.stream().distinct().toList(), "cache-invalidate");
        });
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("invalidated_entries", gone);
        return answer;
    }

    private static List<String> meant(Map<String, Object> body, List<Map<String, Object>> known) {
        List<String> meant = new ArrayList<>();
        Object event = body.get("event");
        if (event != null) {
            if (known.stream()
                    .noneMatch(rule ->
                            (Boolean) rule.get("is_event") && rule.get("name").equals(event))) {
                throw new Refused(
                        400,
                        "event: must be one of "
                                + String.join(
                                        ", ",
                                        known.stream()
                                                .filter(rule -> (Boolean) rule.get("is_event"))
                                                .map(rule -> (String) rule.get("name"))
                                                .sorted()
                                                .toList()));
            }
            meant.add((String) event);
        }
        for (Map<String, Object> rule : known) {
            Object wanted = rule.get("option") == null ? null : body.get(rule.get("option"));
            if (wanted != null && !(wanted instanceof Boolean)) {
                throw new Refused(400, rule.get("option") + ": must be true or false");
            }
            if (Boolean.TRUE.equals(wanted)) {
                meant.add((String) rule.get("name"));
            }
        }
        return meant;
    }

    private List<String> tags(Connection connection, List<String> names, Map<String, String> ids) throws SQLException {
        try {
            Array tags = (Array) tagsOfRules
                    .rows(connection, Map.of("names", names, "ids", JSON.writeValueAsString(ids)))
                    .get(0)
                    .get("tags");
            return List.of((String[]) tags.getArray());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private long invalidate(Connection connection, List<String> tags, String triggeredBy) throws SQLException {
        return (Long) invalidateTags
                .rows(connection, Map.of("tags", tags, "triggeredBy", triggeredBy))
                .get(0)
                .get("entries");
    }

    private static Map<String, String> ids(Map<String, Object> body) {
        Map<String, String> ids = new LinkedHashMap<>();
        for (String name : IDS) {
            Object given = body.get(name);
            if ("".equals(given)) {
                continue; // an empty field of a form: as if it were not there
            }
            if (given instanceof String text && text.codePointCount(0, text.length()) <= LONGEST_ID) {
                ids.put(name, text);
            } else if (given instanceof Integer || given instanceof Long || given instanceof java.math.BigInteger) {
                ids.put(name, given.toString());
            } else if (given != null) {
                throw new Refused(
                        400, name + ": must be a string of at most " + LONGEST_ID + " characters, or a whole number");
            }
        }
        return ids;
    }
}
