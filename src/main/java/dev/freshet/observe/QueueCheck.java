package dev.freshet.observe;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** How long changes have waited. Never down: a target's outage makes a queue old, and no restart makes it younger. */
public final class QueueCheck extends AbstractHealthCheck {
    private static final List<String> FACTS =
            List.of("oldest_seconds", "pending_tags", "in_flight", "retrying", "dead_letters");

    private final Observation observation;
    private final Duration longWait;

    public QueueCheck(Observation observation, Duration longWait) {
        super(PublicHealth.GROUP, "queue");
        this.observation = observation;
        this.longWait = longWait;
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        Optional<Observation.Seen> seen = observation.seen();
        if (seen.isEmpty()) {
            builder.message("not known yet");
            return;
        }
        FACTS.forEach(fact -> builder.detail(fact, seen.get().queue().get(fact)));
        double oldest = seen.get().number("oldest_seconds");
        String facts = String.format(
                Locale.ROOT,
                "%.0f tags pending, the oldest for %.1f s; %.0f in flight, %.0f retrying, %.0f dead letters",
                seen.get().number("pending_tags"),
                oldest,
                seen.get().number("in_flight"),
                seen.get().number("retrying"),
                seen.get().number("dead_letters"));
        if (oldest > longWait.toMillis() / 1000.0) {
            builder.detail("warning", "the oldest change has waited for long");
            builder.message("WARN: the oldest change has waited for long; " + facts);
        } else {
            builder.message(facts);
        }
    }
}
