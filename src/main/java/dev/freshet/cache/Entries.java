package dev.freshet.cache;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.api.Refused;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The entries of application caches, in the table cache_entries. */
public final class Entries {
    /** @param value as JSON, like tags */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record CachedEntry(
            String key,
            @JsonRawValue String value,
            @JsonRawValue String tags,
            String expiresAt) {}

    private record ByHand(List<String> keys, String triggeredBy) {}

    private record Expired(double retentionSeconds, int limit) {}

    private static final int FOLLOWED_AT_ONCE = 1_000;
    private static final int FORGOTTEN_AT_ONCE = 10_000;

    private final SqlFile put = SqlFile.of("cache/put-entry");
    private final SqlFile entry = SqlFile.of("cache/entry");
    private final SqlFile stats = SqlFile.of("cache/entry-stats");
    private final SqlFile invalidateKeys = SqlFile.of("cache/invalidate-keys-by-hand");
    private final SqlFile follow = SqlFile.of("queue/follow-queue");
    private final SqlFile forget = SqlFile.of("cache/forget-entries");
    private final KeyMatching matching = new KeyMatching();
    private final Transactions transactions;
    private final Tallies tallies;
    private final Duration retention;

    /** @param retention how long an expired entry stays in the table, so that it can be counted */
    public Entries(Transactions transactions, Tallies tallies, Duration retention) {
        this.transactions = transactions;
        this.tallies = tallies;
        this.retention = retention;
    }

    /** Also deletes the matching entries that exceed what an answer lists. */
    KeyMatching.Matched match(Connection connection, KeyPattern pattern) throws SQLException {
        return matching.inRegistry(connection, pattern);
    }

    public void put(String key, Map<String, Object> body) throws SQLException {
        EntryRequest request = EntryRequest.of(key, body);
        transactions.inOne(c -> put.rows(c, request));
    }

    public CachedEntry get(String key) throws SQLException {
        Map<String, String> which = Map.of("key", EntryRequest.key(key));
        Optional<CachedEntry> found = transactions.inOne(c -> entry.firstRow(c, which, CachedEntry.class));
        tallies.count(found.isEmpty() ? "cache_misses" : "cache_hits");
        return found.orElseThrow(() ->
                new Refused(404, "there is no entry " + (key.length() > 100 ? key.substring(0, 100) + "…" : key)));
    }

    /** Others may hold a copy of the entry, so its key is published like any invalidated key. */
    public void delete(String key) throws SQLException {
        ByHand call = new ByHand(List.of(EntryRequest.key(key)), "api");
        transactions.inOne(c -> invalidateKeys.rows(c, call));
    }

    public CacheStats stats() throws SQLException {
        CacheStats.CountedEntries counted =
                transactions.inOne(c -> stats.row(c, Map.of(), CacheStats.CountedEntries.class));
        Map<String, Long> reads = tallies.now();
        return CacheStats.of(counted, reads.getOrDefault("cache_hits", 0L), reads.getOrDefault("cache_misses", 0L));
    }

    /** Deletes entries whose tags have changed for the targets: they are out of date here as well. */
    public void followQueue() throws SQLException {
        int tags;
        do {
            tags = transactions.in(c -> follow.row(c, Map.of("limit", FOLLOWED_AT_ONCE), Integer.class));
        } while (tags == FOLLOWED_AT_ONCE);
    }

    public void forgetExpired() throws SQLException {
        Expired expired = new Expired(retention.toMillis() / 1000.0, FORGOTTEN_AT_ONCE);
        int rows;
        do {
            rows = transactions.inOneOnTerms(c -> forget.update(c, expired));
        } while (rows == FORGOTTEN_AT_ONCE);
    }
}
