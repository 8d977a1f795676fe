package dev.freshet.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Metrics of live events. No label names an event, because that would grow with the data. */
public final class LiveMeters {
    private static final List<Long> BUCKETS_MILLIS =
            List.of(5L, 10L, 20L, 40L, 60L, 100L, 150L, 250L, 500L, 1_000L, 2_500L, 5_000L, 10_000L, 60_000L);

    private final MeterRegistry registry;
    private final Counter published;
    private final Counter tooSlow;
    private final Timer latency;

    public LiveMeters(MeterRegistry registry) {
        this.registry = registry;
        this.published = Counter.builder("freshet.live.events")
                .description("Live events that this instance published, to all instances' streams and to LISTEN")
                .register(registry);
        this.tooSlow = Counter.builder("freshet.live.slow.readers")
                .description("Streams that were ended because 1 MiB was unsent")
                .register(registry);
        this.latency = Timer.builder("freshet.live.latency")
                .description("From a change, by the database's clock, to the write to the browsers that were watching")
                .serviceLevelObjectives(
                        BUCKETS_MILLIS.stream().map(Duration::ofMillis).toArray(Duration[]::new))
                .register(registry);
    }

    public void subscribers(Supplier<Number> open) {
        Gauge.builder("freshet.live.subscribers", open)
                .description("Streams that are open on this instance")
                .register(registry);
    }

    public void published(int events) {
        published.increment(events);
    }

    public void sent(long nanos) {
        latency.record(Math.max(0, nanos), TimeUnit.NANOSECONDS);
    }

    public void tooSlow() {
        tooSlow.increment();
    }
}
