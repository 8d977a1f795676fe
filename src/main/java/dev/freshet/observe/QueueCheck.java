package dev.freshet.observe;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Reports how long changes have waited. Never down: a target's outage makes a queue old, and no restart makes it
 * younger.
 */
public final class QueueCheck extends AbstractHealthCheck {
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
        QueueState queue = seen.get().queue();
        builder.detail("oldest_seconds", queue.oldestSeconds());
        builder.detail("pending_tags", queue.pendingTags());
        builder.detail("in_flight", queue.inFlight());
        builder.detail("retrying", queue.retrying());
        builder.detail("dead_letters", queue.deadLetters());
        String facts = String.format(
                Locale.ROOT,
                "%d tags pending, the oldest for %.1f s; %d in flight, %d retrying, %d dead letters",
                queue.pendingTags(),
                queue.oldestSeconds(),
                queue.inFlight(),
                queue.retrying(),
                queue.deadLetters());
        if (queue.oldestSeconds() > longWait.toMillis() / 1000.0) {
            builder.detail("warning", "the oldest change has waited for long");
            builder.message("WARN: the oldest change has waited for long; " + facts);
        } else {
            builder.message(facts);
        }
    }
}
