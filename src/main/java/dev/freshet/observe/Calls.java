package dev.freshet.observe;

import dev.freshet.deliver.Call;
import dev.freshet.deliver.Delivery;
import dev.freshet.deliver.Ledger;
import dev.freshet.deliver.Outcome;
import dev.freshet.deliver.Outcome.Result;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/**
 * Counts calls by their result, and measures the time from the statement that made a change to the recorded outcome of
 * the call that carried it.
 */
public final class Calls {
    /** From what FRESHET_DEBOUNCE=0 promises, over what is usual with the default of 5 s, to outages of a day. */
    private static final List<String> BUCKETS = List.of(
            "PT0.005S",
            "PT0.01S",
            "PT0.025S",
            "PT0.05S",
            "PT0.1S",
            "PT0.25S",
            "PT0.5S",
            "PT1S",
            "PT2.5S",
            "PT5S",
            "PT6S",
            "PT7.5S",
            "PT10S",
            "PT15S",
            "PT30S",
            "PT1M",
            "PT5M",
            "PT30M",
            "PT2H",
            "PT24H");

    private final LongAdder savedByBatches = new LongAdder();
    private final Map<String, Timer> timers = new ConcurrentHashMap<>();
    private final MeterRegistry registry;

    public Calls(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Counts calls whose outcomes have just been written. */
    public void count(List<Ledger.Entry> entries) {
        for (Ledger.Entry entry : entries) {
            Set<Result> results = entry.outcomes().stream()
                    .map(Outcome::result)
                    .collect(Collectors.toCollection(() -> EnumSet.noneOf(Result.class)));
            if (results.contains(Result.returned)) {
                continue; // no call was made
            }
            count(
                    entry.call().getTarget(),
                    results.size() > 1 ? "partial" : name(results.iterator().next()));
            if (results.contains(Result.delivered)) {
                time(entry);
            }
        }
    }

    /** Counts an attempt that the route repeats at once. The last attempt is counted when its outcome is written. */
    public void countFailedAttempt(Call call) {
        count(call.getTarget(), name(Result.failed));
    }

    long savedByBatches() {
        return savedByBatches.sum();
    }

    /** Removes the counters of copies that no longer exist: copies come and go with their addresses. */
    void keepCopies(Set<String> known) {
        registry.getMeters().stream()
                .map(Meter::getId)
                .filter(id -> isGone(id.getTag("target"), known))
                .toList()
                .forEach(registry::remove);
        timers.keySet().removeIf(target -> isGone(target, known));
    }

    private static boolean isGone(String target, Set<String> known) {
        return target != null && target.contains("@") && !known.contains(target);
    }

    private void count(String target, String outcome) {
        registry.counter("freshet.calls", "target", target, "outcome", outcome).increment();
    }

    private void time(Ledger.Entry entry) {
        Timer timer = timers.computeIfAbsent(entry.call().getTarget(), this::timer);
        Set<String> delivered = entry.outcomes().stream()
                .filter(o -> o.result() == Result.delivered)
                .map(Outcome::tag)
                .collect(Collectors.toCollection(TreeSet::new));
        long now = System.nanoTime();
        for (Delivery delivery : entry.call().deliveries()) {
            if (delivered.contains(delivery.tag())) {
                timer.record(now - delivery.changed(), TimeUnit.NANOSECONDS);
            }
        }
        savedByBatches.add(delivered.size() - 1L);
    }

    private Timer timer(String target) {
        return Timer.builder("freshet.commit.to.delivered")
                .tag("target", target)
                .description("From the oldest change that a call covers, by the database's clock, to its success as"
                        + " written; per tag")
                .serviceLevelObjectives(BUCKETS.stream().map(Duration::parse).toArray(Duration[]::new))
                .register(registry);
    }

    private static String name(Result result) {
        return result == Result.halve ? "halved" : result.name();
    }
}
