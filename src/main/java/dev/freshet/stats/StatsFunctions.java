package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.observe.JobMeters;
import dev.freshet.run.log.LogIds;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs statistics functions, each on a connection of its own (what one sets there, no other meets) and in a transaction
 * that also records that it has run: after a death it is known which have committed.
 */
public final class StatsFunctions {
    public enum Result {
        success,
        failed,
        interrupted,
        lost
    }

    public record Ran(String function, Result result, String error) {}

    /** The multicast's strategy. */
    public static final class Gathering {
        public List<Ran> gather(List<Ran> soFar, Ran next) {
            List<Ran> all = soFar == null ? new ArrayList<>() : soFar;
            all.add(next);
            return all;
        }
    }

    /** A function under way, and whether somebody has stopped it. */
    private static final class Run {
        final Connection connection;
        volatile boolean cancelled;

        Run(Connection connection) {
            this.connection = connection;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(StatsFunctions.class);
    private static final Duration NETWORK_GRACE = Duration.ofSeconds(30);
    private static final Set<String> AGAINST_EACH_OTHER = Set.of("40P01", "40001");
    private static final int TRIES = 3;
    private static final int LONGEST_ERROR = 500;

    private final SqlFile start = SqlFile.of("stats/start-function");
    private final SqlFile limit = SqlFile.of("stats/limit-function");
    private final SqlFile hold = SqlFile.of("stats/hold-function");
    private final SqlFile run = SqlFile.of("stats/run-function");
    private final SqlFile succeeded = SqlFile.of("stats/function-succeeded");
    private final SqlFile failed = SqlFile.of("stats/function-failed");
    private final SqlFile lockJob = SqlFile.of("stats/lock-job");
    private final SqlFile writeProgress = SqlFile.of("stats/write-progress");
    private final Map<Job, Set<Run>> running = new ConcurrentHashMap<>();
    private final Transactions transactions;
    private final DataSource single;
    private final JobMeters meters;
    private final Duration timeout;

    /** @param single a connection of its own each time */
    public StatsFunctions(Transactions transactions, DataSource single, JobMeters meters, Duration timeout) {
        this.transactions = transactions;
        this.single = single;
        this.meters = meters;
        this.timeout = timeout;
    }

    /** Never throws: one function's trouble is no other's. */
    public Ran run(Job job, String function, String tags) {
        try {
            Map<String, Object> which = which(job, function);
            which.put(
                    "tags",
                    Arrays.stream(tags.split(","))
                            .map(String::trim)
                            .filter(tag -> !tag.isEmpty())
                            .toList());
            List<Map<String, Object>> started = transactions.in(c -> start.rows(c, which));
            if (started.isEmpty()) {
                return new Ran(function, Result.lost, null);
            }
            if (started.get(0).get("status").equals("success")) {
                return new Ran(function, Result.success, null);
            }
            Ran ran = attempt(job, function);
            if (ran.result() == Result.failed) {
                which.put("error", ran.error());
                transactions.in(c -> failed.update(c, which));
                LogIds.with(ids(job), () -> LOG.warn("{} of job {} failed: {}", function, job.id(), ran.error()));
            }
            showProgress(job);
            return ran;
        } catch (SQLException e) {
            return new Ran(function, Result.interrupted, e.getMessage());
        } catch (RuntimeException e) {
            LogIds.with(ids(job), () -> LOG.error("{} of job {} could not be run", function, job.id(), e));
            return new Ran(function, Result.interrupted, e.toString());
        }
    }

    private static Map<String, String> ids(Job job) {
        return Map.of("job", job.id(), "request", String.valueOf(job.requestId()));
    }

    private Ran attempt(Job job, String function) throws SQLException {
        long begun = System.nanoTime();
        for (int tries = 1; ; tries++) {
            try {
                boolean committed = inItsOwnTransaction(job, function);
                meters.ran(function, committed ? "success" : "lost", System.nanoTime() - begun);
                return new Ran(function, committed ? Result.success : Result.lost, null);
            } catch (SQLException e) {
                if (SqlState.isConnectionLost(e)) {
                    return new Ran(function, Result.interrupted, e.getMessage());
                }
                if (!AGAINST_EACH_OTHER.contains(e.getSQLState()) || tries == TRIES) {
                    meters.ran(function, "failed", System.nanoTime() - begun);
                    return new Ran(function, Result.failed, reason(e));
                }
            }
        }
    }

    /** @return false when the job was not this attempt's any more: then nothing is committed */
    private boolean inItsOwnTransaction(Job job, String function) throws SQLException {
        Map<String, Object> which = which(job, function);
        which.put("timeoutMs", Long.toString(timeout.toMillis()));
        which.put("tenant", job.tenant());
        try (Connection connection = single.getConnection()) {
            connection.setNetworkTimeout(
                    Runnable::run, (int) timeout.plus(NETWORK_GRACE).toMillis());
            connection.setAutoCommit(false);
            Run mine = new Run(connection);
            running.compute(job, (j, runs) -> with(mine, runs));
            try {
                limit.rows(connection, which);
                hold.rows(connection, which);
                run.rows(connection, which);
                boolean ours = succeeded.update(connection, which) == 1;
                if (ours) {
                    connection.commit();
                }
                return ours; // else: closing it rolls it back
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

    private static Set<Run> with(Run run, Set<Run> runs) {
        Set<Run> more = runs == null ? ConcurrentHashMap.newKeySet() : runs;
        more.add(run);
        return more;
    }

    private static Set<Run> without(Run run, Set<Run> runs) {
        runs.remove(run);
        return runs.isEmpty() ? null : runs;
    }

    /** Whether the database was lost under one of them: the job is to be run again, and only what has not committed. */
    public boolean interrupted(List<Ran> all) {
        return all.stream().anyMatch(ran -> ran.result() == Result.interrupted);
    }

    boolean isRunning(Job job) {
        return running.containsKey(job);
    }

    /** Stops what runs for this job; it rolls back. */
    public void cancel(Job job) {
        for (Run run : running.getOrDefault(job, Set.of())) {
            run.cancelled = true;
            try {
                run.connection.unwrap(PGConnection.class).cancelQuery();
            } catch (SQLException e) {
                LOG.debug("A function of job {} could not be cancelled", job.id(), e);
            }
        }
    }

    /** A console sees what has ended so far. */
    private void showProgress(Job job) throws SQLException {
        Map<String, Object> which = Map.of("job", job.id(), "attempt", job.attempt());
        transactions.in(c -> lockJob.rows(c, which).isEmpty() ? 0 : writeProgress.update(c, which));
    }

    private static Map<String, Object> which(Job job, String function) {
        return new HashMap<>(Map.of("job", job.id(), "attempt", job.attempt(), "function", function));
    }

    private String reason(SQLException e) {
        if ("57014".equals(e.getSQLState()) && String.valueOf(e.getMessage()).contains("timeout")) {
            return "took longer than FRESHET_STATS_TIMEOUT (" + timeout.toMillis() / 1000.0 + " s)";
        }
        String message = e instanceof org.postgresql.util.PSQLException server && server.getServerErrorMessage() != null
                ? server.getServerErrorMessage().getMessage()
                : e.getMessage();
        String said = message == null || message.isBlank() ? "SQLSTATE " + e.getSQLState() : message;
        return said.length() > LONGEST_ERROR ? said.substring(0, LONGEST_ERROR) : said;
    }
}
