package dev.freshet.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.freshet.api.Refused;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.cache.pattern.Like;
import dev.freshet.cache.pattern.Narrowing;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The entries of application caches, in the table cache_entries. */
public final class Entries {
    /** Which keys a pattern hits: those listed, and how many {@code more} there were than an answer lists. */
    record Matched(List<String> keys, long more) {
        static Matched among(List<String> keys, KeyPattern pattern) {
            List<String> matching = new ArrayList<>();
            Patience patience = new Patience();
            for (String key : keys) {
                patience.check();
                if (pattern.matches(key)) {
                    matching.add(key);
                }
            }
            return new Matched(matching, 0);
        }

        long count() {
            return keys.size() + more;
        }
    }

    /** Matching a key takes time linear in it, but there may be many keys, and slow patterns. */
    private static final class Patience {
        private final long until = System.nanoTime() + MATCHING.toNanos();
        private int asked;

        void check() {
            if ((++asked & 63) == 0 && System.nanoTime() > until) {
                throw new Refused(
                        400,
                        "pattern: needs more than " + MATCHING.toSeconds()
                                + " s for so many keys; write a simpler one, or send fewer keys");
            }
        }
    }

    private static final Duration MATCHING = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LISTED = 100_000;
    private static final int FOLLOWED_AT_ONCE = 1_000;
    private static final int CHUNK = 10_000;
    private static final int LONGEST_KEY_BYTES = 2_600;
    private static final int LONGEST_TAG = 256;
    private static final double LONGEST_TTL = Duration.ofDays(36_500).toSeconds();

    private final SqlFile exact = SqlFile.of("cache/keys-exact");
    private final SqlFile withPrefix = SqlFile.of("cache/keys-with-prefix");
    private final SqlFile withSuffix = SqlFile.of("cache/keys-with-suffix");
    private final SqlFile withInfix = SqlFile.of("cache/keys-with-infix");
    private final SqlFile all = SqlFile.of("cache/keys-all");
    private final SqlFile delete = SqlFile.of("cache/delete-entries");
    private final SqlFile put = SqlFile.of("cache/put-entry");
    private final SqlFile entry = SqlFile.of("cache/entry");
    private final SqlFile stats = SqlFile.of("cache/entry-stats");
    private final SqlFile invalidateKeys = SqlFile.of("cache/invalidate-keys-by-hand");
    private final SqlFile follow = SqlFile.of("queue/follow-queue");
    private final SqlFile forget = SqlFile.of("cache/forget-entries");
    private final Transactions transactions;
    private final Tallies tallies;
    private final Duration retention;

    /** @param retention how long an expired entry stays to be counted */
    public Entries(Transactions transactions, Tallies tallies, Duration retention) {
        this.transactions = transactions;
        this.tallies = tallies;
        this.retention = retention;
    }

    /**
     * An index narrows, the pattern itself decides. Entries beyond those that an answer lists are removed here, the
     * others by the caller.
     */
    Matched match(Connection connection, KeyPattern pattern) throws SQLException {
        List<String> listed = new ArrayList<>();
        List<String> beyond = new ArrayList<>();
        long[] more = {0};
        Patience patience = new Patience();
        narrowest(pattern.narrowing()).each(connection, CHUNK, row -> {
            String key = row.getString(1);
            patience.check();
            if (!pattern.matches(key)) {
                return;
            }
            if (listed.size() < LISTED) {
                listed.add(key);
                return;
            }
            beyond.add(key);
            more[0]++;
            if (beyond.size() == CHUNK) {
                delete.update(connection, Map.of("keys", beyond));
                beyond.clear();
            }
        });
        if (!beyond.isEmpty()) {
            delete.update(connection, Map.of("keys", beyond));
        }
        return new Matched(listed, more[0]);
    }

    private SqlFile.Bound narrowest(Narrowing narrowing) {
        return switch (narrowing.by()) {
            case EXACT -> exact.with(Map.of("literal", narrowing.exact()));
            case PREFIX -> withPrefix.with(Map.of("literal", Like.literal(narrowing.prefix())));
            case SUFFIX -> withSuffix.with(Map.of("literal", Like.literal(reversed(narrowing.suffix()))));
            case INFIX -> withInfix.with(Map.of("literal", Like.literal(narrowing.infix())));
            case NOTHING -> all.with(Map.of());
        };
    }

    private static String reversed(String text) {
        return new StringBuilder(text).reverse().toString();
    }

    public void put(String key, Map<String, Object> body) throws SQLException {
        Map<String, Object> values = new HashMap<>();
        values.put("key", known(key));
        values.put("value", body.containsKey("value") ? json(body.get("value")) : null);
        values.put("tags", tags("tags", body.getOrDefault("tags", List.of())));
        values.put("ttlSeconds", ttl(body.get("ttl_seconds")));
        values.put("expiresAt", time(body.get("expires_at")));
        if (values.get("ttlSeconds") != null && values.get("expiresAt") != null) {
            throw new Refused(400, "expires_at: give this or ttl_seconds, not both");
        }
        transactions.inOne(c -> put.rows(c, values));
    }

    public Map<String, Object> get(String key) throws SQLException {
        List<Map<String, Object>> rows = transactions.inOne(c -> entry.rows(c, Map.of("key", known(key))));
        tallies.count(rows.isEmpty() ? "cache_misses" : "cache_hits");
        if (rows.isEmpty()) {
            throw new Refused(404, "there is no entry " + (key.length() > 100 ? key.substring(0, 100) + "…" : key));
        }
        Map<String, Object> found = new LinkedHashMap<>(rows.get(0));
        found.replaceAll((name, value) ->
                value != null && (name.equals("value") || name.equals("tags")) ? new RawValue((String) value) : value);
        return found;
    }

    /** Others may hold a copy of it: it is published like any key that is invalidated. */
    public void delete(String key) throws SQLException {
        transactions.inOne(c -> invalidateKeys.rows(c, Map.of("keys", List.of(known(key)), "triggeredBy", "api")));
    }

    public Map<String, Object> stats() throws SQLException {
        Map<String, Object> counted = new LinkedHashMap<>(
                transactions.inOne(c -> stats.rows(c, Map.of())).get(0));
        Map<String, Long> reads = tallies.now();
        long hits = reads.getOrDefault("cache_hits", 0L);
        long misses = reads.getOrDefault("cache_misses", 0L);
        long total = (Long) counted.get("totalEntries");
        long expired = (Long) counted.get("expiredEntries");
        double hitRate = hits + misses == 0 ? 0 : Math.round(10_000.0 * hits / (hits + misses)) / 100.0;
        Map<String, Object> cache = new LinkedHashMap<>();
        cache.put("totalEntries", total);
        cache.put("expiredEntries", expired);
        cache.put("hitRate", hitRate);
        cache.put("oldestEntry", counted.get("oldestEntry"));
        cache.put("newestEntry", counted.get("newestEntry"));
        cache.put("hits", hits);
        cache.put("misses", misses);
        Map<String, Object> recommendations = new LinkedHashMap<>();
        recommendations.put(
                "hit_rate_status", hitRate > 80 ? "excellent" : hitRate > 60 ? "good" : "needs_improvement");
        recommendations.put("expired_entries_status", expired > 0.3 * total ? "high" : "normal");
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("cache_stats", cache);
        answer.put("recommendations", recommendations);
        return answer;
    }

    /** What changed for the targets is out of date here as well. */
    public void followQueue() throws SQLException {
        int tags;
        do {
            tags = (Integer) transactions
                    .in(c -> follow.rows(c, Map.of("limit", FOLLOWED_AT_ONCE)))
                    .get(0)
                    .get("due");
        } while (tags == FOLLOWED_AT_ONCE);
    }

    public void forgetExpired() throws SQLException {
        int rows;
        do {
            rows = transactions.in(
                    c -> forget.update(c, Map.of("retentionSeconds", retention.toMillis() / 1000.0, "limit", CHUNK)));
        } while (rows == CHUNK);
    }

    /** As it came in a path. */
    private static String known(String key) {
        if (key == null || key.isEmpty() || key.codePointCount(0, key.length()) > InvalidationRequest.LONGEST_KEY) {
            throw new Refused(400, "key: must have 1 to " + InvalidationRequest.LONGEST_KEY + " characters");
        }
        if (key.indexOf(0) >= 0 || key.indexOf('\ufffd') >= 0) {
            throw new Refused(400, "key: must be text in UTF-8 without NUL, percent-encoded");
        }
        if (key.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > LONGEST_KEY_BYTES) {
            throw new Refused(
                    400,
                    "key: must have at most " + LONGEST_KEY_BYTES + " bytes in UTF-8, so that it fits into an index");
        }
        return key;
    }

    static List<String> tags(String field, Object given) {
        if (!(given instanceof List<?> list)) {
            throw new Refused(400, field + ": must be a list of strings");
        }
        for (Object tag : list) {
            if (!(tag instanceof String text)
                    || text.isEmpty()
                    || text.codePointCount(0, text.length()) > LONGEST_TAG) {
                throw new Refused(400, field + ": a tag must be a string of 1 to " + LONGEST_TAG + " characters");
            }
        }
        return list.stream().map(String.class::cast).distinct().toList();
    }

    private static Double ttl(Object given) {
        if (given == null) {
            return null;
        }
        // written so that NaN is refused
        if (given instanceof Number number && number.doubleValue() > 0 && number.doubleValue() <= LONGEST_TTL) {
            return new BigDecimal(number.toString()).doubleValue();
        }
        throw new Refused(400, "ttl_seconds: must be a number above 0, of at most " + (long) LONGEST_TTL);
    }

    private static OffsetDateTime time(Object given) {
        if (given == null) {
            return null;
        }
        try {
            if (given instanceof String text) {
                OffsetDateTime time = OffsetDateTime.parse(text);
                if (time.getYear() >= 0 && time.getYear() <= 9999) {
                    return time;
                }
            }
        } catch (DateTimeParseException e) {
            // said below
        }
        throw new Refused(400, "expires_at: must be a time such as 2030-01-31T12:00:00Z");
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
