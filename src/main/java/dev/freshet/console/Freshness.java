package dev.freshet.console;

import dev.freshet.api.JsonAnswer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * How long changes have recently taken from their commit to their delivery, according to the calls of this instance.
 * Sampled every few seconds and kept for ten minutes.
 */
public final class Freshness {
    private static final int LOOKS = 121;
    private static final Duration WINDOW = Duration.ofMinutes(5);

    /** The last minutes; without a delivery there are no quantiles. */
    @JsonAnswer
    record Lately(long windowSeconds, long delivered, Long p50Ms, Long p99Ms) {}

    /** A point of the charts, with the number of tags that were waiting. */
    @JsonAnswer
    record Point(long at, long delivered, Long p50Ms, Long p99Ms, Double pending) {}

    /** Cumulative counts by their bound in milliseconds, as in a histogram. */
    record Look(Instant at, TreeMap<Double, Double> counts, long total, Double pending) {
        /** What was added between {@code before} and this look. */
        Look since(Look before) {
            TreeMap<Double, Double> between = new TreeMap<>();
            counts.forEach((bound, count) -> between.put(bound, count - before.counts.getOrDefault(bound, 0.0)));
            return new Look(at, between, total - before.total, pending);
        }

        /** Assumes that the values of a bucket are spread evenly between its bounds; null if there are none. */
        Long quantile(double q) {
            double wanted = Math.max(1, Math.ceil(q * total)) - 0.5;
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

    /** @param pending the number of tags that wait, or null if unknown */
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
    synchronized Lately lately() {
        Instant now = Instant.now();
        Instant from = now.minus(WINDOW);
        Look before = looks.getFirst();
        for (Look look : looks) {
            before = look.at().isAfter(from) ? before : look;
        }
        Look between = look(now).since(before);
        return new Lately(WINDOW.toSeconds(), between.total(), between.quantile(0.5), between.quantile(0.99));
    }

    /** For charts, oldest first. */
    synchronized List<Point> series() {
        List<Point> points = new ArrayList<>();
        Look before = null;
        for (Look look : looks) {
            if (before != null) {
                Look between = look.since(before);
                points.add(new Point(
                        look.at().toEpochMilli(),
                        between.total(),
                        between.quantile(0.5),
                        between.quantile(0.99),
                        look.pending()));
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
