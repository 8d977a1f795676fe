package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The functions that are running, each in a transaction on a connection of its own, and how to cancel them. */
final class FunctionRuns {
    record Which(Job.Attempt attempt, String function) {}

    /** Identifies a function of a job, whichever the attempt: no two attempts may run it at once. */
    private record Held(String job, String function) {}

    private record Run(String function, String tenant) {}

    private static final class FunctionRun {
        final Connection connection;
        volatile boolean cancelled;

        FunctionRun(Connection connection) {
            this.connection = connection;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(FunctionRuns.class);
    private static final Duration NETWORK_GRACE = Duration.ofSeconds(30);

    private final SqlFile limit = SqlFile.of("stats/limit-function");
    private final SqlFile hold = SqlFile.of("stats/hold-function");
    private final SqlFile run = SqlFile.of("stats/run-function");
    private final SqlFile succeeded = SqlFile.of("stats/function-succeeded");
    private final Map<Job, Set<FunctionRun>> running = new ConcurrentHashMap<>();
    private final DataSource single;
    private final Duration timeout;

    /** @param single provides a new connection each time */
    FunctionRuns(DataSource single, Duration timeout) {
        this.single = single;
        this.timeout = timeout;
    }

    /** @return false if the job no longer belongs to this attempt; then nothing is committed */
    boolean run(Job job, String function) throws SQLException {
        try (Connection connection = single.getConnection()) {
            connection.setNetworkTimeout(
                    Runnable::run, (int) timeout.plus(NETWORK_GRACE).toMillis());
            connection.setAutoCommit(false);
            FunctionRun mine = new FunctionRun(connection);
            running.compute(job, (j, runs) -> with(mine, runs));
            try {
                limit.rows(connection, Map.of("timeoutMs", Long.toString(timeout.toMillis())));
                hold.rows(connection, new Held(job.id(), function));
                run.rows(connection, new Run(function, job.tenant()));
                boolean ours = succeeded.update(connection, new Which(job.itself(), function)) == 1;
                if (ours) {
                    connection.commit();
                }
                return ours; // if not ours, closing the connection rolls back
            } catch (SQLException e) {
                if (mine.cancelled) {
                    return false;
                }
                throw e;
            } finally {
                running.computeIfPresent(job, (j, runs) -> without(mine, runs));
            }
        }
    }

    private static Set<FunctionRun> with(FunctionRun run, Set<FunctionRun> runs) {
        Set<FunctionRun> more = runs == null ? ConcurrentHashMap.newKeySet() : runs;
        more.add(run);
        return more;
    }

    private static Set<FunctionRun> without(FunctionRun run, Set<FunctionRun> runs) {
        runs.remove(run);
        return runs.isEmpty() ? null : runs;
    }

    boolean areUnderWay(Job job) {
        return running.containsKey(job);
    }

    void cancel(Job job) {
        for (FunctionRun each : running.getOrDefault(job, Set.of())) {
            each.cancelled = true;
            try {
                each.connection.unwrap(PGConnection.class).cancelQuery();
            } catch (SQLException e) {
                LOG.debug("A function of job {} could not be cancelled", job.id(), e);
            }
        }
    }
}
