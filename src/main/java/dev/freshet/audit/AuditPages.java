package dev.freshet.audit;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.api.Page;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Reads the audit: newest first, by page or by cursor. Rows are counted no further than anyone would turn pages. */
public final class AuditPages {
    /**
     * @param total the number of matching rows
     * @param log null: there are no rows on this page
     * @param endAt, endId the end of the window, if there may be more rows beyond it
     */
    record AuditRow(long total, String log, String at, String id, String endAt, String endId) {}

    /**
     * @param totalIsCapped there are more rows than were counted, or there may be
     * @param nextCursor after this page's last row, or where a search continues that considered only the newest rows
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record AuditPage(
            List<JsonNode> logs, long totalCount, boolean hasMore, Boolean totalIsCapped, String nextCursor) {}

    /**
     * The part of the matching rows that is listed.
     *
     * @param beforeAt, beforeId the cursor; null: start at the newest
     * @param countTo count no further than this
     */
    private record Part(String beforeAt, String beforeId, int limit, long offset, int countTo) {}

    private record OfPattern(Part part, String pattern, String key, List<String> kinds) {}

    private record OfRequest(Part part, String requestId, String pattern, String key, List<String> kinds) {}

    /** @param window how many of the newest rows are considered; null: all */
    private record OfKind(Part part, String kind, String key, Integer window) {}

    /** @param window as in {@link OfKind} */
    private record Newest(Part part, String key, List<String> kinds, Integer window) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    static final List<String> KINDS = List.of(
            "invalidation",
            "delivery",
            "attempt",
            "no-target",
            "postponed",
            "request",
            "refused",
            "replay",
            "job",
            "target",
            "replica");
    private static final Map<String, String> PLURALS = Map.of(
            "invalidations",
            "invalidation",
            "deliveries",
            "delivery",
            "attempts",
            "attempt",
            "requests",
            "request",
            "replays",
            "replay",
            "jobs",
            "job");
    private static final String MOST_FREQUENT = "delivery";
    private static final int COUNTED = 10_000;
    private static final int WINDOW = 200_000;

    private final SqlFile listed = SqlFile.of("audit/audit-listed");
    private final SqlFile ofPattern = SqlFile.of("audit/audit-of-pattern");
    private final SqlFile ofRequest = SqlFile.of("audit/audit-of-request");
    private final SqlFile ofKind = SqlFile.of("audit/audit-of-kind");
    private final SqlFile newest = SqlFile.of("audit/audit-newest");
    private final Transactions transactions;
    private final int window;

    public AuditPages(Transactions transactions) {
        this(transactions, WINDOW);
    }

    AuditPages(Transactions transactions, int window) {
        this.transactions = transactions;
        this.window = window;
    }

    /** @param query the request's parameters, which Camel puts among the headers */
    public AuditPage list(Map<String, Object> query) throws SQLException {
        Page page = Page.of(query.get("limit"), query.get("offset"));
        String pattern = text(query, "pattern");
        String requestId = text(query, "request_id");
        String key = text(query, "key") == null ? text(query, "tag") : text(query, "key");
        List<String> kinds = kinds(text(query, "kind"));
        String[] cursor = cursor(text(query, "cursor"));

        Part part = new Part(
                cursor == null ? null : cursor[0],
                cursor == null ? null : cursor[1],
                page.limit() + 1,
                page.offset(),
                COUNTED + 1);
        List<AuditRow> rows = transactions.inOne(c -> {
            if (requestId != null) {
                return ofRequest.rows(c, new OfRequest(part, requestId, pattern, key, kinds), AuditRow.class);
            }
            if (pattern != null) {
                return ofPattern.rows(c, new OfPattern(part, pattern, key, kinds), AuditRow.class);
            }
            if (isRare(kinds)) {
                Integer considered = key == null ? null : window;
                return ofKind.rows(c, new OfKind(part, kinds.get(0), key, considered), AuditRow.class);
            }
            if (kinds != null || key != null) {
                Integer considered = key == null && kinds.isEmpty() ? null : window;
                return newest.rows(c, new Newest(part, key, kinds, considered), AuditRow.class);
            }
            return listed.rows(c, part, AuditRow.class);
        });
        return answer(rows, page);
    }

    private static boolean isRare(List<String> kinds) {
        return kinds != null && !kinds.isEmpty() && !kinds.get(0).equals(MOST_FREQUENT);
    }

    private static AuditPage answer(List<AuditRow> rows, Page page) {
        AuditRow first = rows.get(0);
        List<AuditRow> found = rows.stream().filter(row -> row.log() != null).toList();
        List<AuditRow> shown = found.subList(0, Math.min(page.limit(), found.size()));
        boolean more = found.size() > shown.size();
        boolean beyond = first.endAt() != null;
        String next = beyond ? cursor(first.endAt(), first.endId()) : null;
        if (more) {
            AuditRow last = shown.get(shown.size() - 1);
            next = cursor(last.at(), last.id());
        }
        return new AuditPage(
                shown.stream().map(row -> parsed(row.log())).toList(),
                Math.min(first.total(), COUNTED),
                more || beyond,
                first.total() > COUNTED || beyond ? true : null,
                next);
    }

    private static String cursor(String at, String id) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString((at + "|" + id).getBytes(StandardCharsets.UTF_8));
    }

    private static String text(Map<String, Object> query, String name) {
        Object given = query.get(name);
        if (given == null || given.equals("")) {
            return null;
        }
        if (!(given instanceof String text)) {
            throw new Refused(400, name + ": must be given once");
        }
        if (text.indexOf(0) >= 0) {
            throw new Refused(400, name + ": must not contain the character NUL");
        }
        return text;
    }

    /** @return null: the kinds that are listed by default; empty: every kind */
    private static List<String> kinds(String given) {
        if (given == null) {
            return null;
        }
        if (given.equals("all")) {
            return List.of();
        }
        String kind = PLURALS.getOrDefault(given, given);
        if (!KINDS.contains(kind)) {
            throw new Refused(400, "kind: must be all or one of " + String.join(", ", KINDS));
        }
        return List.of(kind);
    }

    private static String[] cursor(String given) {
        if (given == null) {
            return null;
        }
        try {
            String[] parts = new String(Base64.getUrlDecoder().decode(given), StandardCharsets.UTF_8).split("\\|", 2);
            if (parts.length == 2 && parts[0].matches("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+[+-][0-9:]+")) {
                return parts;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new Refused(400, "cursor: must be a next_cursor of an earlier answer");
    }

    private static JsonNode parsed(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
