package dev.freshet.observe;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How long stats jobs and their functions take, and how they end. */
public final class JobMeters {
    private static final List<Long> BUCKETS_SECONDS = List.of(1L, 5L, 15L, 30L, 60L, 120L, 300L, 600L, 1_800L);

    private final MeterRegistry registry;

    /** @param worker the name under which this instance takes jobs from the given queue */
    public JobMeters(MeterRegistry registry, String worker, String queue) {
        this.registry = registry;
        Gauge.builder("freshet.worker.info", () -> 1)
                .tag("worker", worker)
                .tag("queue", queue)
                .description("Always 1: the names under which this instance takes stats jobs")
                .register(registry);
        // registered from the start: a rate needs the 0 before the first failure
        List.of("completed", "failed").forEach(this::timer);
    }

    public void finished(String status, long millis) {
        timer(status).record(millis, TimeUnit.MILLISECONDS);
    }

    public void ran(String function, String result, long nanos) {
        Timer.builder("freshet.job.function")
                .tag("function", function)
                .tag("result", result)
                .description("One statistics function")
                .register(registry)
                .record(nanos, TimeUnit.NANOSECONDS);
    }

    private Timer timer(String status) {
        return Timer.builder("freshet.job")
                .tag("status", status)
                .description("From the claim of a stats job to its end")
                .serviceLevelObjectives(
                        BUCKETS_SECONDS.stream().map(Duration::ofSeconds).toArray(Duration[]::new))
                .register(registry);
    }
}
