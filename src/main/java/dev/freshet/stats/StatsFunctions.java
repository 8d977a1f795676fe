package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.observe.JobMeters;
import dev.freshet.run.log.LogIds;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs statistics functions. Each has a connection of its own, so that its session settings affect no other, and a
 * transaction that also records that it has run: after a crash it is known which functions have committed.
 */
public final class StatsFunctions {
    public enum Result {
        success,
        failed,
        interrupted,
        lost
    }

    public record Ran(String function, Result result, String error) {}

    /** @param tags the tags that the function makes stale */
    private record Start(FunctionRuns.Which which, List<String> tags) {}

    private record Failure(FunctionRuns.Which which, String error) {}

    /** The aggregation strategy of the multicast. */
    public static final class Gathering {
        public List<Ran> gather(List<Ran> soFar, Ran next) {
            List<Ran> all = soFar == null ? new ArrayList<>() : soFar;
            all.add(next);
            return all;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(StatsFunctions.class);
    private static final Set<String> AGAINST_EACH_OTHER = Set.of("40P01", "40001");
    private static final int TRIES = 3;
    private static final int LONGEST_ERROR = 500;

    private final SqlFile start = SqlFile.of("stats/start-function");
    private final SqlFile failed = SqlFile.of("stats/function-failed");
    private final SqlFile lockJob = SqlFile.of("stats/lock-job");
    private final SqlFile writeProgress = SqlFile.of("stats/write-progress");
    private final Transactions transactions;
    private final FunctionRuns runs;
    private final JobMeters meters;
    private final Duration timeout;

    /** @param single provides a new connection each time */
    public StatsFunctions(Transactions transactions, DataSource single, JobMeters meters, Duration timeout) {
        this.transactions = transactions;
        this.runs = new FunctionRuns(single, timeout);
        this.meters = meters;
        this.timeout = timeout;
    }

    /** Never throws: the failure of one function must not affect the others. */
    public Ran run(Job job, String function, String tags) {
        try {
            FunctionRuns.Which which = new FunctionRuns.Which(job.itself(), function);
            Start begun = new Start(which, listed(tags));
            Optional<String> status = transactions.in(c -> start.firstRow(c, begun, String.class));
            if (status.isEmpty()) {
                return new Ran(function, Result.lost, null);
            }
            if (status.get().equals("success")) {
                return new Ran(function, Result.success, null);
            }
            Ran ran = attempt(job, function);
            if (ran.result() == Result.failed) {
                transactions.in(c -> failed.update(c, new Failure(which, ran.error())));
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

    private static List<String> listed(String tags) {
        return Arrays.stream(tags.split(","))
                .map(String::trim)
                .filter(tag -> !tag.isEmpty())
                .toList();
    }

    private static Map<String, String> ids(Job job) {
        return Map.of("job", job.id(), "request", String.valueOf(job.requestId()));
    }

    private Ran attempt(Job job, String function) throws SQLException {
        long begun = System.nanoTime();
        for (int tries = 1; ; tries++) {
            try {
                boolean committed = runs.run(job, function);
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

    /**
     * Whether the connection to the database was lost under one of them. The job is then run again, but only the
     * functions that have not committed.
     */
    public boolean interrupted(List<Ran> all) {
        return all.stream().anyMatch(ran -> ran.result() == Result.interrupted);
    }

    boolean isRunning(Job job) {
        return runs.areUnderWay(job);
    }

    /** Cancels what runs for this job; it rolls back. */
    public void cancel(Job job) {
        runs.cancel(job);
    }

    /** Lets a console show which functions have ended so far. */
    private void showProgress(Job job) throws SQLException {
        transactions.in(
                c -> lockJob.rows(c, job.itself()).isEmpty() ? 0 : writeProgress.update(c, Map.of("job", job.id())));
    }

    private String reason(SQLException e) {
        if ("57014".equals(e.getSQLState()) && String.valueOf(e.getMessage()).contains("timeout")) {
            return "took longer than FRESHET_STATS_TIMEOUT (" + timeout.toMillis() / 1000.0 + " s)";
        }
        String message = e instanceof PSQLException server && server.getServerErrorMessage() != null
                ? server.getServerErrorMessage().getMessage()
                : e.getMessage();
        String said = message == null || message.isBlank() ? "SQLSTATE " + e.getSQLState() : message;
        return said.length() > LONGEST_ERROR ? said.substring(0, LONGEST_ERROR) : said;
    }
}
