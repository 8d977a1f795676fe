package dev.freshet.observe;

import dev.freshet.observe.Observation.TargetSeen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Reports the state of the targets. Never down: what is owed to them is kept, and their failure is not this instance's.
 */
public final class TargetsCheck extends AbstractHealthCheck {
    private static final int SHOWN = 100;

    private final Observation observation;

    public TargetsCheck(Observation observation) {
        super(PublicHealth.GROUP, "targets");
        this.observation = observation;
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
        List<TargetSeen> targets = seen.get().targets();
        List<String> warnings = new ArrayList<>();
        List<String> states = new ArrayList<>();
        if (targets.stream().noneMatch(TargetSeen::takesQueue)) {
            warnings.add("no target: tags are settled as `no target`");
        }
        for (TargetSeen target : targets.subList(0, Math.min(SHOWN, targets.size()))) {
            String state = state(target);
            builder.detail("target." + target.name(), state);
            (state.equals("closed") ? states : warnings).add(target.name() + ": " + state);
        }
        if (targets.size() > SHOWN) {
            states.add(targets.size() - SHOWN + " more");
        }
        if (!warnings.isEmpty()) {
            builder.detail("warning", String.join("; ", warnings));
            warnings.set(0, "WARN: " + warnings.get(0));
        }
        warnings.addAll(states);
        builder.message(String.join("; ", warnings));
    }

    /** The state of the breaker, and whether any instance calls the target at all. */
    private static String state(TargetSeen target) {
        if (!target.isServed()) {
            return "served by no instance for " + (long) target.unservedSeconds() + " s";
        }
        if (target.missingSeconds() > 0) {
            return "gone from DNS for " + (long) target.missingSeconds() + " s";
        }
        return target.open() ? "open for " + (long) target.openSeconds() + " s" : "closed";
    }
}
