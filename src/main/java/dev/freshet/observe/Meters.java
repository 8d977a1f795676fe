package dev.freshet.observe;

import dev.freshet.api.RefusalReports;
import dev.freshet.deliver.fence.Fences;
import dev.freshet.queue.Coalescing;
import dev.freshet.run.routes.LiveRoutes;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.stream.Collectors;

/**
 * Names the numbers that /observe/metrics shows. Labels are names of targets and of outcomes only: neither grows with
 * the data.
 */
public final class Meters {
    private final MeterRegistry registry;

    public Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    public Meters of(Observation observation) {
        queue(
                observation,
                "freshet.queue.pending.tags",
                "pending_tags",
                "Tags that wait for their first call, on all instances together");
        queue(observation, "freshet.queue.oldest.seconds", "oldest_seconds", "How long the oldest of them has waited");
        queue(
                observation,
                "freshet.queue.in.flight",
                "in_flight",
                "Tags with a call in flight, on all instances together");
        queue(
                observation,
                "freshet.queue.retrying",
                "retrying",
                "Tags that wait for another call after one that failed");
        queue(observation, "freshet.dead.letters", "dead_letters", "Tags that were given up for a target");
        Gauge.builder(
                        "freshet.live.behind.seconds",
                        observation,
                        o -> o.seen().map(Observation.Seen::liveBehindSeconds).orElse(Double.NaN))
                .description("How long the oldest committed live event has waited for the relay")
                .register(registry);
        Gauge.builder(
                        "freshet.targets",
                        observation,
                        o -> o.seen().map(Meters::served).orElse(Double.NaN))
                .description("Targets that take the queue's tags and are served by some instance")
                .register(registry);
        MultiGauge breakers = MultiGauge.builder("freshet.breaker.open")
                .description("1 while a target counts as down and is only probed")
                .register(registry);
        // not there before its value is known, or else it would seem to jump from 0 at every start
        observation.watch(seen -> {
            counterOfTheDatabase(
                    observation,
                    "freshet.live.skipped",
                    "live_skipped",
                    "Changes that could not be told to"
                            + " live pages: no such artwork or event, or an event id that fits into no URL");
            counterOfTheDatabase(
                    observation,
                    "freshet.tags.skipped",
                    "tags_skipped",
                    "Tags that a trigger skipped because they were empty, too long, or could not be named (see"
                            + " cache_invalidation_watches.problem), since the database exists");
            counterOfTheDatabase(
                    observation,
                    "freshet.tags.past.queue",
                    "tags_past_queue",
                    "Times that a tag was owed to its"
                            + " targets without a row in cache_invalidation_queue, because that table refuses it");
            counterOfTheDatabase(
                    observation,
                    "freshet.audit.rows.refused",
                    "audit_rows_refused",
                    "Times that work was done"
                            + " without its row in invalidation_audit, because that table refuses it");
        });
        observation.watch(seen -> breakers.register(
                seen.targets().stream()
                        .map(target -> MultiGauge.Row.of(Tags.of("target", target.name()), target.open() ? 1 : 0))
                        .toList(),
                true));
        return this;
    }

    private void counterOfTheDatabase(Observation observation, String name, String counter, String description) {
        if (registry.find(name).functionCounter() == null) {
            FunctionCounter.builder(name, observation, o -> o.counter(counter))
                    .description(description)
                    .register(registry);
        }
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

    /** As it is now; 0 when there is none of that name. */
    public double value(String name) {
        FunctionCounter counter = registry.find(name).functionCounter();
        Gauge gauge = registry.find(name).gauge();
        return counter != null ? counter.count() : gauge != null ? gauge.value() : 0;
    }

    private void queue(Observation observation, String name, String column, String description) {
        Gauge.builder(
                        name,
                        observation,
                        o -> o.seen().map(seen -> seen.number(column)).orElse(Double.NaN))
                .description(description)
                .register(registry);
    }

    private static double served(Observation.Seen seen) {
        return seen.targets().stream()
                .filter(target -> target.takesQueue() && target.isServed())
                .count();
    }

    private static double saved(Coalescing coalescing, Calls calls) {
        return coalescing.saved() + calls.savedByBatches();
    }

    private static double factor(Coalescing coalescing, Calls calls) {
        long without = coalescing.callsWithout();
        return without == 0 ? 1 : without / Math.max(1, without - saved(coalescing, calls));
    }
}
