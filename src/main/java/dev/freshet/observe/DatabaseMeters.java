package dev.freshet.observe;

import dev.freshet.observe.Observation.Seen;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The numbers of /observe/metrics that come from the database. */
final class DatabaseMeters {
    /** @param name in freshet.counter */
    private record Counted(String meter, String name, String description) {}

    private static final List<Counted> COUNTERS = List.of(
            new Counted(
                    "freshet.live.skipped",
                    "live_skipped",
                    "Changes that could not be told to live pages: no such artwork or event, or an event id that fits"
                            + " into no URL"),
            new Counted(
                    "freshet.tags.skipped",
                    "tags_skipped",
                    "Tags that a trigger skipped because they were empty, too long, or could not be named (see"
                            + " cache_invalidation_watches.problem), since the database exists"),
            new Counted(
                    "freshet.tags.past.queue",
                    "tags_past_queue",
                    "Times that a tag was owed to its targets without a row in cache_invalidation_queue, because that"
                            + " table refuses it"),
            new Counted(
                    "freshet.audit.rows.refused",
                    "audit_rows_refused",
                    "Times that work was done without its row in invalidation_audit, because that table refuses it"));

    private final MeterRegistry registry;
    private final Observation observation;

    DatabaseMeters(MeterRegistry registry, Observation observation) {
        this.registry = registry;
        this.observation = observation;
    }

    void register() {
        gauge(
                "freshet.queue.pending.tags",
                "Tags that wait for their first call, on all instances together",
                seen -> seen.queue().pendingTags());
        gauge(
                "freshet.queue.oldest.seconds",
                "How long the oldest of them has waited",
                seen -> seen.queue().oldestSeconds());
        gauge(
                "freshet.queue.in.flight",
                "Tags with a call in flight, on all instances together",
                seen -> seen.queue().inFlight());
        gauge(
                "freshet.queue.retrying",
                "Tags that wait for another call after one that failed",
                seen -> seen.queue().retrying());
        gauge(
                "freshet.dead.letters",
                "Tags that were given up for a target",
                seen -> seen.queue().deadLetters());
        gauge(
                "freshet.live.behind.seconds",
                "How long the oldest committed live event has waited for the relay",
                Seen::liveBehindSeconds);
        gauge(
                "freshet.targets",
                "Targets that take the queue's tags and are served by some instance",
                DatabaseMeters::served);
        // registered only when its value is known: otherwise it would seem to jump from 0 at every start
        observation.watch(seen -> COUNTERS.forEach(this::counter));
        breakers();
    }

    private void gauge(String name, String description, ToDoubleFunction<Seen> value) {
        Gauge.builder(name, observation, o -> o.seen().map(value::applyAsDouble).orElse(Double.NaN))
                .description(description)
                .register(registry);
    }

    private void counter(Counted counted) {
        if (registry.find(counted.meter()).functionCounter() == null) {
            FunctionCounter.builder(counted.meter(), observation, o -> o.counter(counted.name()))
                    .description(counted.description())
                    .register(registry);
        }
    }

    private void breakers() {
        MultiGauge breakers = MultiGauge.builder("freshet.breaker.open")
                .description("1 while a target counts as down and is only probed")
                .register(registry);
        observation.watch(seen -> breakers.register(
                seen.targets().stream()
                        .map(target -> MultiGauge.Row.of(Tags.of("target", target.name()), target.open() ? 1 : 0))
                        .toList(),
                true));
    }

    private static double served(Seen seen) {
        return seen.targets().stream()
                .filter(target -> target.takesQueue() && target.isServed())
                .count();
    }
}
