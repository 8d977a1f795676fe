package dev.freshet.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.cache.pattern.Patterns;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The invalidation service: by key and by pattern, each request once. */
public final class Invalidations {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_SHARED_KEYS = 20;
    private static final int FORGOTTEN_AT_ONCE = 10_000;

    private final SqlFile invalidate = SqlFile.of("cache/invalidate");
    private final SqlFile answerOfRequest = SqlFile.of("cache/answer-of-request");
    private final SqlFile forget = SqlFile.of("cache/forget-invalidation-requests");
    private final Transactions transactions;
    private final Entries entries;
    private final Patterns patterns;
    private final Tallies tallies;
    private final Together together;

    public Invalidations(Transactions transactions, Entries entries, Patterns patterns, Tallies tallies) {
        this.transactions = transactions;
        this.entries = entries;
        this.patterns = patterns;
        this.tallies = tallies;
        this.together = new Together(transactions);
    }

    /** @return the answer, as JSON */
    public String byKeys(Map<String, Object> body) throws SQLException {
        return orCountError(() -> keys(body));
    }

    /** @return the answer, as JSON */
    public String byPattern(Map<String, Object> body) throws SQLException {
        return orCountError(() -> pattern(body));
    }

    private String keys(Map<String, Object> body) throws SQLException {
        Optional<String> before = answered(body);
        if (before.isPresent()) {
            return before.get();
        }
        long begun = System.nanoTime();
        InvalidationRequest request = InvalidationRequest.ofKeys(body);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("invalidated_count", request.keys().size());
        answer.put("keys", request.keys());
        answer.put("request_id", request.requestId());
        String said = json(answer);
        String shared = mayShare(body, request) ? together.answer(new Together.One(request, said, begun)) : null;
        if (shared != null) {
            return counted("key_invalidations", List.of(Map.of("is_new", true, "answer", shared)));
        }
        return counted(
                "key_invalidations",
                transactions.inOne(c -> invalidate.rows(c, effect(request, request.keys(), said, null, begun))));
    }

    /** Who names its request may wait for its twin, and many keys take their time: others must not wait for them. */
    private static boolean mayShare(Map<String, Object> body, InvalidationRequest request) {
        return body.get("request_id") == null && request.keys().size() <= MOST_SHARED_KEYS;
    }

    private String pattern(Map<String, Object> body) throws SQLException {
        Optional<String> before = answered(body);
        if (before.isPresent()) {
            return before.get();
        }
        long begun = System.nanoTime();
        InvalidationRequest request = InvalidationRequest.ofPattern(body);
        KeyPattern pattern = patterns.of(request.pattern());
        if (request.keys() != null) {
            Entries.Matched matched = Entries.Matched.among(request.keys(), pattern);
            String said = json(answer(request, matched));
            return counted(
                    "pattern_invalidations",
                    transactions.inOne(c -> invalidate.rows(c, effect(request, matched.keys(), said, null, begun))));
        }
        return counted("pattern_invalidations", transactions.in(c -> {
            Entries.Matched matched = entries.match(c, pattern);
            String more = matched.more() == 0
                    ? null
                    : matched.count() + " entries of the registry, of which these are the first";
            return invalidate.rows(c, effect(request, matched.keys(), json(answer(request, matched)), more, begun));
        }));
    }

    public void forgetAnswers() throws SQLException {
        int rows;
        do {
            rows = transactions.in(c -> forget.update(c, Map.of("limit", FORGOTTEN_AT_ONCE)));
        } while (rows == FORGOTTEN_AT_ONCE);
    }

    /** Whatever the body says besides: a request that was answered is answered so again. */
    private Optional<String> answered(Map<String, Object> body) throws SQLException {
        if (!(body.get("request_id") instanceof String id)) {
            return Optional.empty();
        }
        return transactions.inOne(c -> answerOfRequest.rows(c, Map.of("requestId", id))).stream()
                .map(row -> (String) row.get("answer"))
                .findFirst();
    }

    private static Map<String, Object> answer(InvalidationRequest request, Entries.Matched matched) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("pattern", request.pattern());
        answer.put("matched_keys", matched.keys());
        answer.put("invalidated_count", matched.count());
        if (matched.more() > 0) {
            answer.put("matched_keys_capped", true);
        }
        answer.put("request_id", request.requestId());
        return answer;
    }

    private static Map<String, Object> effect(
            InvalidationRequest request, List<String> keys, String answer, String detail, long begun) {
        Map<String, Object> values = new HashMap<>();
        values.put("keys", keys);
        values.put("pattern", request.pattern());
        values.put("requestId", request.requestId());
        values.put("answer", answer);
        values.put("triggeredBy", request.triggeredBy());
        values.put("detail", detail);
        values.put("elapsedMs", (System.nanoTime() - begun) / 1e6);
        return values;
    }

    private interface Attempt {
        String make() throws SQLException;
    }

    private String orCountError(Attempt attempt) throws SQLException {
        try {
            return attempt.make();
        } catch (SQLException e) {
            tallies.count("errors");
            throw e;
        }
    }

    private String counted(String what, List<Map<String, Object>> rows) {
        if ((Boolean) rows.get(0).get("is_new")) {
            tallies.count(what);
            tallies.count("audit_writes");
        }
        return (String) rows.get(0).get("answer");
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
