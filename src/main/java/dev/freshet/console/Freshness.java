package dev.freshet.console;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * How long changes took from their commit to their delivery lately, as the calls of this instance have it; a look every
 * few seconds, kept for ten minutes.
 */
public final class Freshness {
    private static final int LOOKS = 121;
    private static final Duration WINDOW = Duration.ofMinutes(5);

    /** Cumulative counts by their bound in milliseconds, as a histogram has them. */
    record Look(Instant at, TreeMap<Double, Double> counts, long total, Double pending) {
        /** What came between {@code before} and this. */
        Look since(Look before) {
            TreeMap<Double, Double> between = new TreeMap<>();
            counts.forEach((bound, count) -> between.put(bound, count - before.counts.getOrDefault(bound, 0.0)));
            return new Look(at, between, total - before.total, pending);
        }

        /** Interpolated between the bounds; null when nothing came. */
        Long quantile(double q) {
            double wanted = q * total;
            double lower = 0;
            double below = 0;
            for (Map.Entry<Double, Double> bucket : counts.entrySet()) {
                if (total > 0 && bucket.getValue() >= wanted) {
                    double inside = Math.max(1e-9, bucket.getValue() - below);
                    return Math.round(lower + (bucket.getKey() - lower) * (wanted - below) / inside);
                }
                lower = bucket.getKey();
                below = bucket.getValue();
            }
            return total > 0 ? Math.round(lower) : null;
        }
    }

    private final MeterRegistry meters;
    private final Supplier<Double> pending;
    private final Deque<Look> looks = new ArrayDeque<>();

    /** @param pending tags that wait, or null when nobody knows */
    public Freshness(MeterRegistry meters, Supplier<Double> pending) {
        this.meters = meters;
        this.pending = pending;
        looks.add(look(Instant.now()));
    }

    public synchronized void sample() {
        looks.addLast(look(Instant.now()));
        while (looks.size() > LOOKS) {
            looks.removeFirst();
        }
    }

    /** The last minutes in three numbers. */
    synchronized Map<String, Object> lately() {
        Instant now = Instant.now();
        Instant from = now.minus(WINDOW);
        Look before = looks.getFirst();
        for (Look look : looks) {
            before = look.at().isAfter(from) ? before : look;
        }
        Look between = look(now).since(before);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("window_seconds", WINDOW.toSeconds());
        answer.put("delivered", between.total());
        answer.put("p50_ms", between.quantile(0.5));
        answer.put("p99_ms", between.quantile(0.99));
        return answer;
    }

    /** For charts, the oldest first. */
    synchronized List<Map<String, Object>> series() {
        List<Map<String, Object>> points = new ArrayList<>();
        Look before = null;
        for (Look look : looks) {
            if (before != null) {
                Look between = look.since(before);
                Map<String, Object> point = new LinkedHashMap<>();
                point.put("at", look.at().toEpochMilli());
                point.put("delivered", between.total());
                point.put("p50_ms", between.quantile(0.5));
                point.put("p99_ms", between.quantile(0.99));
                point.put("pending", look.pending());
                points.add(point);
            }
            before = look;
        }
        return points;
    }

    private Look look(Instant at) {
        TreeMap<Double, Double> counts = new TreeMap<>();
        long total = 0;
        for (Timer timer : meters.find("freshet.commit.to.delivered").timers()) {
            total += timer.count();
            for (CountAtBucket bucket : timer.takeSnapshot().histogramCounts()) {
                counts.merge(bucket.bucket(TimeUnit.MILLISECONDS), bucket.count(), Double::sum);
            }
        }
        return new Look(at, counts, total, pending.get());
    }
}
