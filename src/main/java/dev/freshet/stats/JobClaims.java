package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Claims the next job under a lease, after queueing again the jobs that dead workers have left. */
final class JobClaims {
    record ClaimedJob(String id, int attempt, String tenant, String triggeredBy, String requestId) {
        private Job job() {
            return new Job(id, attempt, tenant, triggeredBy, requestId);
        }
    }

    /** @param workerId the worker that left it */
    record LeftJob(String id, String status, String workerId) {}

    private record Owed(String target, boolean hasTarget) {}

    /** @param jobs how many may run at once */
    private record Claim(int jobs, String worker, String queue, double leaseSeconds) {}

    private static final Logger LOG = LoggerFactory.getLogger(JobClaims.class);

    private final SqlFile takeTurn = SqlFile.of("stats/take-stats-turn");
    private final SqlFile areOpen = SqlFile.of("stats/jobs-are-open");
    private final SqlFile recover = SqlFile.of("stats/recover-jobs");
    private final SqlFile oweRefresh = SqlFile.of("deliver/owe-refresh");
    private final SqlFile claim = SqlFile.of("stats/claim-job");
    private final Transactions transactions;
    private final Jobs.Terms terms;
    private final boolean hasTarget;

    JobClaims(Transactions transactions, Jobs.Terms terms, boolean hasTarget) {
        this.transactions = transactions;
        this.terms = terms;
        this.hasTarget = hasTarget;
    }

    Optional<Job> next() throws SQLException {
        if (transactions.inOne(c -> areOpen.rows(c, Map.of())).isEmpty()) {
            return Optional.empty();
        }
        return transactions.in(this::take);
    }

    private Optional<Job> take(Connection connection) throws SQLException {
        if (!takeTurn.row(connection, Map.of(), Boolean.class)) {
            return Optional.empty();
        }
        for (LeftJob left : recover.rows(connection, Map.of(), LeftJob.class)) {
            LOG.warn(
                    "Job {} was left in processing by {}: {}",
                    left.id(),
                    left.workerId() == null ? "another worker" : left.workerId(),
                    "queued".equals(left.status()) ? "queued again" : "failed for good");
        }
        oweRefresh.update(connection, new Owed(Jobs.BATCH_TARGET, hasTarget));
        Claim mine = new Claim(
                terms.atOnce(), terms.worker(), terms.queue(), terms.lease().toMillis() / 1000.0);
        return claim.firstRow(connection, mine, ClaimedJob.class).map(ClaimedJob::job);
    }
}
