package dev.freshet.cache;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.cache.pattern.Patterns;
import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The invalidation service: invalidates by key and by pattern, and carries out each request only once. */
public final class Invalidations {
    /** The answer without its time, which is added when the request takes effect. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    record KeysAnswer(boolean success, int invalidatedCount, List<String> keys, String requestId) {}

    /** @param matchedKeysCapped true if there were more keys than are listed, null otherwise */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    record PatternAnswer(
            boolean success,
            String pattern,
            List<String> matchedKeys,
            long invalidatedCount,
            @JsonInclude(JsonInclude.Include.NON_NULL) Boolean matchedKeysCapped,
            String requestId) {}

    /** @param isNew false: the same request was made before, and this is the answer it got */
    record Effect(String answer, boolean isNew) {}

    /** @param detail for the audit; null: nothing to add */
    private record Invalidation(
            List<String> keys,
            String pattern,
            String requestId,
            String answer,
            String triggeredBy,
            String detail,
            double elapsedMs) {}

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
        List<String> keys = request.keys();
        String said = Json.text(new KeysAnswer(true, keys.size(), keys, request.requestId()));
        String shared = mayShare(body, request) ? together.answer(new Together.One(request, said, begun)) : null;
        if (shared != null) {
            return counted("key_invalidations", new Effect(shared, true));
        }
        return counted("key_invalidations", transactions.inOne(c -> invalidate(c, request, keys, said, null, begun)));
    }

    /**
     * A request with an id may have to wait for its duplicate, and one with many keys takes long. Others must not wait
     * for those.
     */
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
            KeyMatching.Matched matched = KeyMatching.among(request.keys(), pattern);
            String said = answer(request, matched);
            return counted(
                    "pattern_invalidations",
                    transactions.inOne(c -> invalidate(c, request, matched.keys(), said, null, begun)));
        }
        return counted("pattern_invalidations", transactions.in(c -> {
            KeyMatching.Matched matched = entries.match(c, pattern);
            String more = matched.more() == 0
                    ? null
                    : matched.count() + " entries of the registry, of which these are the first";
            return invalidate(c, request, matched.keys(), answer(request, matched), more, begun);
        }));
    }

    public void forgetAnswers() throws SQLException {
        int rows;
        do {
            rows = transactions.inOneOnTerms(c -> forget.update(c, Map.of("limit", FORGOTTEN_AT_ONCE)));
        } while (rows == FORGOTTEN_AT_ONCE);
    }

    /** Returns the earlier answer if the request's id was answered before, whatever else the body says. */
    private Optional<String> answered(Map<String, Object> body) throws SQLException {
        if (!(body.get("request_id") instanceof String id)) {
            return Optional.empty();
        }
        return transactions.inOne(c -> answerOfRequest.firstRow(c, Map.of("requestId", id), String.class));
    }

    private static String answer(InvalidationRequest request, KeyMatching.Matched matched) {
        return Json.text(new PatternAnswer(
                true,
                request.pattern(),
                matched.keys(),
                matched.count(),
                matched.more() > 0 ? true : null,
                request.requestId()));
    }

    private Effect invalidate(
            Connection connection,
            InvalidationRequest request,
            List<String> keys,
            String answer,
            String detail,
            long begun)
            throws SQLException {
        Invalidation invalidation = new Invalidation(
                keys,
                request.pattern(),
                request.requestId(),
                answer,
                request.triggeredBy(),
                detail,
                (System.nanoTime() - begun) / 1e6);
        return invalidate.row(connection, invalidation, Effect.class);
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

    private String counted(String what, Effect effect) {
        if (effect.isNew()) {
            tallies.count(what);
            tallies.count("audit_writes");
        }
        return effect.answer();
    }
}
