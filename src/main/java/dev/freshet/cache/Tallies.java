package dev.freshet.cache;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.run.stop.HandsBackOnStop;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counters over all instances and restarts. Counting only touches memory; once a second the sums are inserted into the
 * database as new rows, so that no instance waits for another. A process that is killed loses its last second's counts.
 */
public final class Tallies implements HandsBackOnStop {
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record InvalidationMetrics(
            long totalInvalidations,
            long keyInvalidations,
            long patternInvalidations,
            long auditWrites,
            long pubsubPublishes,
            long errors,
            double patternInvalidationRatio,
            long publishFailures) {}

    record Tally(String name, long value) {}

    private record Counted(List<String> names, List<Long> values) {}

    private static final int LIMIT = 10_000;

    private final SqlFile write = SqlFile.of("cache/tally");
    private final SqlFile addUp = SqlFile.of("cache/add-up-tallies");
    private final SqlFile read = SqlFile.of("cache/tallies");
    private final Map<String, LongAdder> counted = new ConcurrentHashMap<>();
    private final Transactions transactions;

    public Tallies(Transactions transactions) {
        this.transactions = transactions;
    }

    public void count(String name) {
        counted.computeIfAbsent(name, n -> new LongAdder()).increment();
    }

    public synchronized void write() throws SQLException {
        Map<String, Long> sums = new LinkedHashMap<>();
        counted.forEach((name, adder) -> {
            long sum = adder.sumThenReset();
            if (sum > 0) {
                sums.put(name, sum);
            }
        });
        if (sums.isEmpty()) {
            return;
        }
        try {
            List<String> names = new ArrayList<>(sums.keySet());
            Counted counts = new Counted(names, names.stream().map(sums::get).toList());
            transactions.in(c -> write.update(c, counts));
        } catch (SQLException e) {
            sums.forEach((name, sum) -> counted.get(name).add(sum));
            throw e;
        }
    }

    public void addUp() throws SQLException {
        transactions.inOneOnTerms(c -> addUp.update(c, Map.of("limit", LIMIT)));
    }

    /** The current totals, including this instance's last second. */
    Map<String, Long> now() throws SQLException {
        write();
        Map<String, Long> values = new HashMap<>();
        transactions
                .inOne(c -> read.rows(c, Map.of(), Tally.class))
                .forEach(tally -> values.put(tally.name(), tally.value()));
        return values;
    }

    /** The metrics in the format of the replaced service. */
    public InvalidationMetrics metrics() throws SQLException {
        Map<String, Long> now = now();
        long keys = now.getOrDefault("key_invalidations", 0L);
        long patterns = now.getOrDefault("pattern_invalidations", 0L);
        return new InvalidationMetrics(
                keys + patterns,
                keys,
                patterns,
                now.getOrDefault("audit_writes", 0L),
                now.getOrDefault("publishes", 0L),
                now.getOrDefault("errors", 0L),
                keys + patterns == 0 ? 0.0 : (double) patterns / (keys + patterns),
                now.getOrDefault("publish_failures", 0L));
    }

    @Override
    public void handBack() throws SQLException {
        write();
    }
}
