package dev.freshet.deliver;

import dev.freshet.api.Page;
import dev.freshet.api.Refused;
import dev.freshet.api.Times;
import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What was given up, to look at and to owe once more. */
public final class DeadLetters {
    private static final List<String> FILTERS = List.of("target", "tag", "error");

    private final SqlFile list = SqlFile.of("dead-letters");
    private final SqlFile count = SqlFile.of("count-dead-letters");
    private final SqlFile replay = SqlFile.of("replay");
    private final Transactions transactions;

    public DeadLetters(Transactions transactions) {
        this.transactions = transactions;
    }

    public Map<String, Object> list(Object target, Object tag, Object error, Object limit, Object offset) throws SQLException {
        Page page = Page.of(limit, offset);
        Map<String, Object> which = filters(target, tag, error);
        which.put("limit", page.limit());
        which.put("offset", page.offset());
        List<Map<String, Object>> letters = transactions.in(c -> list.rows(c, which));
        long total = (Long) transactions.in(c -> count.rows(c, which)).get(0).get("total_count");
        Times.readable(letters);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("dead_letters", letters);
        answer.put("total_count", total);
        answer.put("has_more", page.offset() + letters.size() < total);
        return answer;
    }

    public Map<String, Object> replayOne(String id) throws SQLException {
        UUID letter;
        try {
            letter = UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw new Refused(400, "id: must be a dead letter's id, as listed by GET /api/dead-letters");
        }
        Map<String, Object> which = filters(null, null, null);
        which.put("id", letter);
        Map<String, Object> answer = replay(which);
        if (Long.valueOf(0).equals(answer.get("replayed"))) {
            throw new Refused(404, "there is no dead letter " + letter + " of a target that is known; it may have been delivered meanwhile");
        }
        return answer;
    }

    public Map<String, Object> replayMatching(Map<String, Object> body) throws SQLException {
        Map<String, Object> asked = body == null ? Map.of() : body;
        for (Map.Entry<String, Object> entry : asked.entrySet()) {
            if (!FILTERS.contains(entry.getKey())) {
                throw new Refused(400, entry.getKey() + ": is no filter; write target, tag, error or {} for all");
            }
            if (entry.getValue() != null && !(entry.getValue() instanceof String)) {
                throw new Refused(400, entry.getKey() + ": must be a string");
            }
        }
        Map<String, Object> which = filters(asked.get("target"), asked.get("tag"), asked.get("error"));
        which.put("id", null);
        return replay(which);
    }

    private Map<String, Object> replay(Map<String, Object> which) throws SQLException {
        which.put("requestId", null);
        return transactions.in(c -> replay.rows(c, which)).get(0);
    }

    private static Map<String, Object> filters(Object target, Object tag, Object error) {
        Map<String, Object> filters = new HashMap<>();
        filters.put("target", target);
        filters.put("tag", tag);
        filters.put("error", error);
        return filters;
    }
}
