package dev.freshet.observe;

import dev.freshet.deliver.replica.Replicas;
import dev.freshet.deliver.replica.Replicas.Seen;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;

/** How far read replicas are behind, for /observe/metrics. */
public final class ReplicaMeters {
    private ReplicaMeters() {}

    public static void of(Replicas replicas, MeterRegistry registry) {
        for (Seen each : replicas.seen()) {
            gauge(
                    replicas,
                    registry,
                    each.name(),
                    "freshet.replica.lag.seconds",
                    Seen::lagSeconds,
                    "How long the oldest change that a call covered has waited for this replica, or how long it is"
                            + " away");
            gauge(
                    replicas,
                    registry,
                    each.name(),
                    "freshet.replica.passed.over",
                    seen -> seen.isPassedOver() ? 1 : 0,
                    "1 while calls do not wait for this replica");
        }
        Gauge.builder("freshet.replica.wait.seconds", replicas, Replicas::waitSeconds)
                .description("How long calls wait for read replicas at present")
                .register(registry);
    }

    private static void gauge(
            Replicas replicas,
            MeterRegistry registry,
            String name,
            String meter,
            ToDoubleFunction<Seen> value,
            String description) {
        Gauge.builder(
                        meter,
                        replicas,
                        all -> all.seen().stream()
                                .filter(seen -> seen.name().equals(name))
                                .mapToDouble(value)
                                .findFirst()
                                .orElse(Double.NaN))
                .tag("replica", name)
                .description(description)
                .register(registry);
    }
}
