package dev.freshet.observe;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The state of the database a few seconds ago, for all that are asked for it regularly. A state that is older than half
 * a minute counts as unknown.
 */
public final class Observation {
    /** The same on every instance. */
    public record Seen(
            QueueState queue, List<TargetSeen> targets, Map<String, Long> counters, double liveBehindSeconds) {}

    private record CounterRow(String name, long value) {}

    /**
     * A known target.
     *
     * @param unservedSeconds time since an instance last reported that it serves the target
     * @param missingSeconds time since DNS stopped naming its address; 0: DNS names it
     */
    public record TargetSeen(
            String name,
            boolean takesQueue,
            boolean open,
            double openSeconds,
            double unservedSeconds,
            double missingSeconds) {
        private static final double GONE_AFTER_SECONDS = 60;

        boolean isServed() {
            return unservedSeconds <= GONE_AFTER_SECONDS;
        }
    }

    private static final long GOOD_FOR_NANOS = Duration.ofSeconds(30).toNanos();

    private final SqlFile queueState = SqlFile.of("queue/queue-state");
    private final SqlFile targets = SqlFile.of("observe/targets");
    private final SqlFile counters = SqlFile.of("observe/counters");
    private final SqlFile live = SqlFile.of("observe/live");
    private final Transactions transactions;
    private final List<Consumer<Seen>> watchers = new ArrayList<>();
    private volatile Seen seen;
    private volatile long seenAt;

    public Observation(Transactions transactions) {
        this.transactions = transactions;
    }

    /** Registers a watcher that is called after each look, by the looking thread. */
    void watch(Consumer<Seen> watcher) {
        watchers.add(watcher);
    }

    public void look() throws SQLException {
        Seen now = transactions.inOneOnTerms(c -> {
            Map<String, Long> counted = new HashMap<>();
            counters.rows(c, Map.of(), CounterRow.class).forEach(row -> counted.put(row.name(), row.value()));
            return new Seen(
                    queueState.row(c, Map.of(), QueueState.class),
                    targets.rows(c, Map.of(), TargetSeen.class),
                    counted,
                    live.row(c, Map.of(), Double.class));
        });
        seen = now;
        seenAt = System.nanoTime();
        watchers.forEach(watcher -> watcher.accept(now));
    }

    /** Counters only grow, so the last known value remains valid until there is a newer one. */
    long counter(String name) {
        return seen == null ? 0 : seen.counters().getOrDefault(name, 0L);
    }

    /** Tags that wait, or null if unknown. */
    public Double pendingTags() {
        return seen().map(now -> (double) now.queue().pendingTags()).orElse(null);
    }

    Optional<Seen> seen() {
        Seen last = seen;
        return last == null || System.nanoTime() - seenAt > GOOD_FOR_NANOS ? Optional.empty() : Optional.of(last);
    }
}
