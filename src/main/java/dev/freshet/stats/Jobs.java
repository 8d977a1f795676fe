package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.observe.JobMeters;
import dev.freshet.run.stop.HandsBackOnStop;
import dev.freshet.run.stop.StopsFirst;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jobs of public.background_job_status. They are claimed one at a time, held under a lease that is renewed, and
 * then finished or handed back.
 */
public final class Jobs implements HandsBackOnStop, StopsFirst {
    /**
     * The worker name under which jobs are held, how many may run at once over all instances, how long a lease lasts
     * after the last heartbeat, and how long to wait before a tag that the batch target did not accept is sent again.
     */
    public record Terms(String worker, String queue, int atOnce, Duration lease, Duration backoff) {}

    /** How an attempt ended. */
    public record Finished(String id, String status, long millis, String error) {
        public boolean isCompleted() {
            return "completed".equals(status);
        }
    }

    /** @param profile the profile of all the tags; null: they have none, or different ones */
    record StaleTags(List<String> tags, Timestamp askedAt, String profile) {}

    record FinishedJob(String status, String errorMessage, Double tookMs) {
        private Finished of(Job job) {
            return new Finished(job.id(), status, tookMs.longValue(), errorMessage);
        }
    }

    private record End(
            Job.Attempt attempt,
            String source,
            String requestId,
            String target,
            Refresh.SoFar refresh,
            double backoffSeconds) {}

    static final String BATCH_TARGET = "batch";

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    /** Well below camel.main.shutdownTimeout. */
    private static final Duration MAY_STILL_END = Duration.ofSeconds(8);

    private final SqlFile tagsToRefresh = SqlFile.of("stats/tags-to-refresh");
    private final SqlFile finish = SqlFile.of("stats/finish-job");
    private final SqlFile forget = SqlFile.of("stats/forget-jobs");
    private final HeldJobs held;
    private final JobClaims claims;
    private final Transactions transactions;
    private final StatsFunctions functions;
    private final JobMeters meters;
    private final Terms terms;
    private final boolean hasTarget;
    private final Replicas replicas;
    private volatile boolean stopping;

    /** @param hasTarget whether there is a batch target to tell which tags are stale */
    public Jobs(Transactions transactions, StatsFunctions functions, JobMeters meters, Terms terms, boolean hasTarget) {
        this(transactions, functions, meters, terms, hasTarget, Replicas.NONE);
    }

    public Jobs(
            Transactions transactions,
            StatsFunctions functions,
            JobMeters meters,
            Terms terms,
            boolean hasTarget,
            Replicas replicas) {
        this.replicas = replicas;
        this.transactions = transactions;
        this.functions = functions;
        this.meters = meters;
        this.terms = terms;
        this.hasTarget = hasTarget;
        this.held = new HeldJobs(transactions, terms.lease());
        this.claims = new JobClaims(transactions, terms, hasTarget);
    }

    /** Claims the next job, or returns null if there is none or no room for it. */
    public Job claim() throws SQLException {
        if (stopping) {
            return null;
        }
        Optional<Job> job = claims.next();
        job.ifPresent(held::hold);
        return job.orElse(null);
    }

    /** Called every few seconds, on a thread that no function can block. */
    public void heartbeat() throws SQLException {
        held.letGoOfWhatStandsStill(functions::isRunning);
        for (Job job : held.renew()) {
            LOG.info(
                    "Job {} was taken away (cancelled, queued by hand or thought dead): its functions are stopped",
                    job.id());
            functions.cancel(job);
        }
    }

    /** The tags that this job's functions have made stale, for the batch target. */
    public Refresh refresh(Job job) throws SQLException {
        StaleTags stale = transactions.in(c -> tagsToRefresh.row(c, job.itself(), StaleTags.class));
        Refresh refresh = new Refresh(job, stale.tags(), stale.askedAt(), stale.profile(), hasTarget);
        if (refresh.isNeeded() && replicas.areThere()) {
            awaitReplicas(job);
        }
        return refresh;
    }

    /** Keeps the job's lease alive while it waits. */
    private void awaitReplicas(Job job) throws SQLException {
        boolean isReplayed = replicas.await(replicas.position(), () -> held.sawAtWork(job));
        if (!isReplayed) {
            held.handBack(job, false, null);
            throw new IllegalStateException(
                    "Freshet stops before the read replicas have what job " + job.id() + " changed");
        }
    }

    /** @return null if the job was taken away meanwhile */
    public Finished finish(Job job, Refresh refresh) throws SQLException {
        double backoff = terms.backoff().toMillis() / 1000.0;
        End end = new End(job.itself(), job.source(), job.requestId(), BATCH_TARGET, refresh.soFar(), backoff);
        Optional<FinishedJob> row = transactions.audited(c -> finish.firstRow(c, end, FinishedJob.class));
        held.letGo(job);
        Optional<Finished> finished = row.map(found -> found.of(job));
        finished.ifPresent(how -> meters.finished(how.status(), how.millis()));
        return finished.orElse(null);
    }

    /** The connection to the database was lost while the functions ran, which does not count as their failure. */
    public void interrupted(Job job) throws SQLException {
        held.handBack(job, true, "the database was lost while it ran");
    }

    /** Nothing more can be done for the job here. Its lease ends and another attempt begins. */
    public void abandon(Job job) {
        held.letGo(job);
        functions.cancel(job);
    }

    public void forgetDeleted() throws SQLException {
        transactions.in(c -> forget.update(c, Map.of()));
    }

    /**
     * No new jobs begin; running ones may end. A job that has not ended while Camel still waits for it is handed back.
     * Otherwise Camel would stop waiting at some point, and Freshet would not stop in time.
     */
    @Override
    public void stop() {
        stopping = true;
        Thread guard = new Thread(this::handBackWhatDoesNotEnd, "hand-back-jobs");
        guard.setDaemon(true);
        guard.start();
    }

    private void handBackWhatDoesNotEnd() {
        try {
            Thread.sleep(MAY_STILL_END.toMillis());
            handBack();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            LOG.warn("Jobs could not be handed back; they go on when their leases end: {}", e.toString());
        }
    }

    /**
     * Jobs that have not ended when Freshet stops are queued again at once. Functions that have committed do not run
     * again.
     */
    @Override
    public void handBack() throws SQLException {
        for (Job job : held.all()) {
            held.handBack(job, false, null);
            functions.cancel(job);
            LOG.info("Job {} is handed back: another worker goes on with it", job.id());
        }
    }
}
