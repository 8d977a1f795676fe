package dev.freshet.observe;

import dev.freshet.api.RefusalReports;
import dev.freshet.deliver.fence.Fences;
import dev.freshet.queue.Coalescing;
import dev.freshet.run.routes.LiveRoutes;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.stream.Collectors;

/**
 * Names the numbers of /observe/metrics. Labels are only names of targets and of outcomes, and neither grows with the
 * data.
 */
public final class Meters {
    private final MeterRegistry registry;

    public Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    public Meters of(Observation observation) {
        new DatabaseMeters(registry, observation).register();
        return this;
    }

    public Meters of(Coalescing coalescing, Calls calls) {
        FunctionCounter.builder("freshet.changes", coalescing, Coalescing::changes)
                .description(
                        "Statements that touched a tag, once per tag, as this instance handed them over to the targets")
                .register(registry);
        FunctionCounter.builder("freshet.calls.saved", coalescing, c -> saved(c, calls))
                .description("Calls that coalescing spared the targets, beside one call per change and target")
                .register(registry);
        Gauge.builder("freshet.coalescing.factor", coalescing, c -> factor(c, calls))
                .description("Changes per call; 1 when nothing could be coalesced")
                .register(registry);
        return this;
    }

    public Meters of(Observation observation, Calls calls) {
        observation.watch(seen -> calls.keepCopies(
                seen.targets().stream().map(Observation.TargetSeen::name).collect(Collectors.toSet())));
        return this;
    }

    public Meters of(LiveRoutes routes) {
        Gauge.builder("freshet.routes.broken", routes, r -> r.broken().size())
                .description("Route files that were edited and not taken over")
                .register(registry);
        return this;
    }

    public Meters of(RefusalReports refusals) {
        FunctionCounter.builder("freshet.refusals", refusals, RefusalReports::total)
                .description("Requests that were refused before any route saw them")
                .register(registry);
        return this;
    }

    public Meters of(Fences fences) {
        Gauge.builder("freshet.fences.waiting", fences, Fences::waiting)
                .description("Requests on this instance that wait until changes are out (GET /api/fresh)")
                .register(registry);
        return this;
    }

    /** The current value; 0 if there is no meter with that name. */
    public double value(String name) {
        FunctionCounter counter = registry.find(name).functionCounter();
        Gauge gauge = registry.find(name).gauge();
        return counter != null ? counter.count() : gauge != null ? gauge.value() : 0;
    }

    private static double saved(Coalescing coalescing, Calls calls) {
        return coalescing.saved() + calls.savedByBatches();
    }

    private static double factor(Coalescing coalescing, Calls calls) {
        long without = coalescing.callsWithout();
        return without == 0 ? 1 : without / Math.max(1, without - saved(coalescing, calls));
    }
}
