package dev.freshet.observe;

import dev.freshet.deliver.replica.Replicas;
import dev.freshet.deliver.replica.Replicas.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Reports the state of the read replicas. Never down: calls go out without a replica that is away, and no restart of
 * Freshet brings it back.
 */
public final class ReplicasCheck extends AbstractHealthCheck {
    private final Replicas replicas;

    public ReplicasCheck(Replicas replicas) {
        super(PublicHealth.GROUP, "replicas");
        this.replicas = replicas;
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        builder.up();
        List<String> warnings = new ArrayList<>();
        List<Seen> seen = replicas.seen();
        for (Seen each : seen) {
            String name = each.name().replaceFirst("/(.*)", " ($1)"); // Camel's JSON escapes a slash twice
            builder.detail("replica." + name, each.says() == null ? "keeps up" : each.says());
            if (each.says() != null) {
                warnings.add(name + ": " + each.says());
            }
        }
        if (warnings.isEmpty()) {
            builder.message("calls wait for " + seen.size() + (seen.size() == 1 ? " replica" : " replicas"));
        } else {
            builder.detail("warning", String.join("; ", warnings));
            builder.message("WARN: " + String.join("; ", warnings));
        }
    }
}
