package dev.freshet.observe;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;

/** How long stats jobs and their functions take, and how they end. */
public final class JobMeters {
    private final MeterRegistry registry;

    public JobMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    public void finished(String status, long millis) {
        Timer.builder("freshet.job").tag("status", status).description("From the claim of a stats job to its end").register(registry)
                .record(millis, TimeUnit.MILLISECONDS);
    }

    public void ran(String function, String result, long nanos) {
        Timer.builder("freshet.job.function").tag("function", function).tag("result", result).description("One statistics function").register(registry)
                .record(nanos, TimeUnit.NANOSECONDS);
    }
}
