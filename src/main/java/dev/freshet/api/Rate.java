package dev.freshet.api;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/**
 * Limits requests per second for each client address; a burst may use two seconds' worth. An address that was quiet for
 * a minute is forgotten.
 */
public final class Rate implements ToLongFunction<String> {
    private static final double SECOND = 1e9;
    private static final int ADDRESSES = 100_000;

    private static final class Bucket {
        private double left;
        private long filledAt;
    }

    private final Cache<String, Bucket> buckets = Caffeine.newBuilder()
            .maximumSize(ADDRESSES)
            .expireAfterAccess(Duration.ofMinutes(1))
            .executor(Runnable::run)
            .build();
    private final int perSecond;
    private final LongSupplier nanoTime;

    /** @param perSecond 0: unlimited */
    public Rate(int perSecond, LongSupplier nanoTime) {
        this.perSecond = perSecond;
        this.nanoTime = nanoTime;
    }

    /** @return the seconds to wait; 0 admits the request */
    @Override
    public long applyAsLong(String address) {
        if (perSecond == 0) {
            return 0;
        }
        long now = nanoTime.getAsLong();
        Bucket bucket = buckets.get(address, a -> {
            Bucket full = new Bucket();
            full.left = 2.0 * perSecond;
            full.filledAt = now;
            return full;
        });
        synchronized (bucket) {
            bucket.left = Math.min(2.0 * perSecond, bucket.left + (now - bucket.filledAt) / SECOND * perSecond);
            bucket.filledAt = now;
            if (bucket.left >= 1) {
                bucket.left--;
                return 0;
            }
            return Math.max(1, (long) Math.ceil((1 - bucket.left) / perSecond));
        }
    }
}
