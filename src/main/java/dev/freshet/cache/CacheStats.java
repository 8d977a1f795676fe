package dev.freshet.cache;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/** Figures of the registry, in the words of the service that Freshet replaces. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record CacheStats(CacheFigures cacheStats, CacheAdvice recommendations) {
    /** @param hitRate per cent */
    public record CacheFigures(
            long totalEntries,
            long expiredEntries,
            double hitRate,
            String oldestEntry,
            String newestEntry,
            long hits,
            long misses) {}

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record CacheAdvice(String hitRateStatus, String expiredEntriesStatus) {}

    record CountedEntries(long totalEntries, long expiredEntries, String oldestEntry, String newestEntry) {}

    static CacheStats of(CountedEntries counted, long hits, long misses) {
        long total = counted.totalEntries();
        long expired = counted.expiredEntries();
        double hitRate = hits + misses == 0 ? 0 : Math.round(10_000.0 * hits / (hits + misses)) / 100.0;
        return new CacheStats(
                new CacheFigures(total, expired, hitRate, counted.oldestEntry(), counted.newestEntry(), hits, misses),
                new CacheAdvice(
                        hitRate > 80 ? "excellent" : hitRate > 60 ? "good" : "needs_improvement",
                        expired > 0.3 * total ? "high" : "normal"));
    }
}
