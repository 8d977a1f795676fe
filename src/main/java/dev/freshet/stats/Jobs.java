package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.observe.JobMeters;
import dev.freshet.run.stop.HandsBackOnStop;
import dev.freshet.run.stop.StopsFirst;
import java.sql.Array;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jobs of public.background_job_status: taken one by one, held by a lease that is renewed, finished or given back.
 */
public final class Jobs implements HandsBackOnStop, StopsFirst {
    /**
     * Under which name jobs are held, how many at the same time over all instances, for how long after the last
     * heartbeat, and after what time a tag that the batch target did not take is called again.
     */
    public record Terms(String worker, String queue, int atOnce, Duration lease, Duration backoff) {}

    /** How an attempt ended. */
    public record Finished(String id, String status, long millis, String error) {
        public boolean isCompleted() {
            return "completed".equals(status);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    /** Longer than the tries at the batch target and the wait for a database that is away, together. */
    private static final Duration STANDSTILL = Duration.ofMinutes(2);

    private static final String BATCH_TARGET = "batch";
    /** Well below camel.main.shutdownTimeout. */
    private static final Duration MAY_STILL_END = Duration.ofSeconds(8);

    private final SqlFile takeTurn = SqlFile.of("stats/take-stats-turn");
    private final SqlFile areOpen = SqlFile.of("stats/jobs-are-open");
    private final SqlFile recover = SqlFile.of("stats/recover-jobs");
    private final SqlFile oweRefresh = SqlFile.of("deliver/owe-refresh");
    private final SqlFile claim = SqlFile.of("stats/claim-job");
    private final SqlFile heartbeat = SqlFile.of("stats/heartbeat-jobs");
    private final SqlFile tagsToRefresh = SqlFile.of("stats/tags-to-refresh");
    private final SqlFile finish = SqlFile.of("stats/finish-job");
    private final SqlFile handBack = SqlFile.of("stats/hand-back-job");
    private final SqlFile forget = SqlFile.of("stats/forget-jobs");
    /** With when (System.nanoTime) it was last seen at work. */
    private final Map<Job, Long> held = new ConcurrentHashMap<>();

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
    }

    /** Takes the next job, if there is one and there is room for it; first, what others left behind is queued again. */
    public Job claim() throws SQLException {
        if (stopping || transactions.inOne(c -> areOpen.rows(c, Map.of())).isEmpty()) {
            return null;
        }
        Job job = transactions.in(connection -> {
            if (!(Boolean) takeTurn.rows(connection, Map.of()).get(0).get("mine")) {
                return null;
            }
            for (Map<String, Object> row : recover.rows(connection, Map.of())) {
                LOG.warn(
                        "Job {} was left in processing by {}: {}",
                        row.get("id"),
                        row.get("worker_id") == null ? "another worker" : row.get("worker_id"),
                        "queued".equals(String.valueOf(row.get("status"))) ? "queued again" : "failed for good");
            }
            oweRefresh.update(connection, Map.of("target", BATCH_TARGET, "hasTarget", hasTarget));
            List<Map<String, Object>> rows = claim.rows(
                    connection,
                    Map.of(
                            "jobs",
                            terms.atOnce(),
                            "worker",
                            terms.worker(),
                            "queue",
                            terms.queue(),
                            "leaseSeconds",
                            seconds(terms.lease())));
            return rows.isEmpty() ? null : job(rows.get(0));
        });
        if (job != null) {
            held.put(job, System.nanoTime());
        }
        return job;
    }

    private static Job job(Map<String, Object> row) {
        return new Job(
                row.get("id").toString(),
                (Integer) row.get("attempt"),
                (String) row.get("tenant"),
                (String) row.get("triggered_by"),
                (String) row.get("request_id"));
    }

    /** Called every few seconds, on a thread that no function can keep busy. */
    public void heartbeat() throws SQLException {
        letGoOfWhatStandsStill();
        List<Job> mine = new ArrayList<>(held.keySet());
        if (mine.isEmpty()) {
            return;
        }
        Set<List<Object>> still = new HashSet<>(); // the same worker may hold two attempts at one job
        transactions
                .in(c -> heartbeat.rows(
                        c,
                        Map.of(
                                "jobs",
                                mine.stream().map(Job::id).toList(),
                                "attempts",
                                mine.stream().map(Job::attempt).toList(),
                                "leaseSeconds",
                                seconds(terms.lease()))))
                .forEach(row -> still.add(List.of(row.get("id").toString(), row.get("attempt"))));
        for (Job job : mine) {
            if (!still.contains(List.of(job.id(), job.attempt())) && held.remove(job) != null) {
                LOG.info(
                        "Job {} was taken away (cancelled, queued by hand or thought dead): its functions are stopped",
                        job.id());
                functions.cancel(job);
            }
        }
    }

    /** A job whose route was cut off must not be renewed for ever by a worker that no longer works on it. */
    private void letGoOfWhatStandsStill() {
        held.replaceAll((job, at) -> functions.isRunning(job) ? Long.valueOf(System.nanoTime()) : at);
        held.entrySet().removeIf(entry -> System.nanoTime() - entry.getValue() > STANDSTILL.toNanos());
    }

    /** What the functions of this job have made stale, for the batch target. */
    public Refresh refresh(Job job) throws SQLException {
        Map<String, Object> row = transactions
                .in(c -> tagsToRefresh.rows(c, Map.of("job", job.id(), "attempt", job.attempt())))
                .get(0);
        Array tags = (Array) row.get("tags");
        Refresh refresh = new Refresh(
                job,
                tags == null ? List.of() : List.of((String[]) tags.getArray()),
                (Timestamp) row.get("asked_at"),
                (String) row.get("profile"),
                hasTarget);
        if (refresh.isNeeded() && replicas.areThere()) {
            awaitReplicas(job);
        }
        return refresh;
    }

    /** The job is held meanwhile. */
    private void awaitReplicas(Job job) throws SQLException {
        boolean isReplayed =
                replicas.await(replicas.position(), () -> held.computeIfPresent(job, (same, at) -> System.nanoTime()));
        if (!isReplayed) {
            handBack(job, false, null);
            throw new IllegalStateException(
                    "Freshet stops before the read replicas have what job " + job.id() + " changed");
        }
    }

    /** @return null when the job was taken away meanwhile */
    public Finished finish(Job job, Refresh refresh) throws SQLException {
        Map<String, Object> values = new HashMap<>(Map.of(
                "job",
                job.id(),
                "attempt",
                job.attempt(),
                "source",
                job.source(),
                "requestId",
                job.requestId(),
                "target",
                BATCH_TARGET,
                "refresh",
                refresh.json(),
                "delivered",
                refresh.delivered(),
                "owed",
                refresh.owed()));
        values.put("lastStatus", refresh.lastStatus());
        values.put("lastError", refresh.lastError());
        values.put("askedAt", refresh.askedAt());
        values.put("backoffSeconds", seconds(terms.backoff()));
        List<Map<String, Object>> rows = transactions.audited(c -> finish.rows(c, values));
        held.remove(job);
        if (rows.isEmpty()) {
            return null;
        }
        Map<String, Object> row = rows.get(0);
        Finished finished = new Finished(
                job.id(), String.valueOf(row.get("status")), ((Number) row.get("took_ms")).longValue(), (String)
                        row.get("error_message"));
        meters.finished(finished.status(), finished.millis());
        return finished;
    }

    /** The database went away under its functions: that is not their failure. */
    public void interrupted(Job job) throws SQLException {
        handBack(job, true, "the database was lost while it ran");
    }

    /** Nothing more can be done for it here; its lease ends and another attempt begins. */
    public void abandon(Job job) {
        held.remove(job);
        functions.cancel(job);
    }

    public void forgetDeleted() throws SQLException {
        transactions.in(c -> forget.update(c, Map.of()));
    }

    /**
     * No new ones; those that run may end. What has not ended when Camel is still waiting for it is given back: it
     * would not wait for ever, and then not stop in time either.
     */
    @Override
    public void stop() {
        stopping = true;
        Thread guard = new Thread(
                () -> {
                    try {
                        Thread.sleep(MAY_STILL_END.toMillis());
                        handBack();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } catch (SQLException e) {
                        LOG.warn("Jobs could not be handed back; they go on when their leases end: {}", e.toString());
                    }
                },
                "hand-back-jobs");
        guard.setDaemon(true);
        guard.start();
    }

    /**
     * What has not ended when Freshet stops is queued again at once; functions that have committed do not run again.
     */
    @Override
    public void handBack() throws SQLException {
        for (Job job : List.copyOf(held.keySet())) {
            handBack(job, false, null);
            functions.cancel(job);
            LOG.info("Job {} is handed back: another worker goes on with it", job.id());
        }
    }

    private void handBack(Job job, boolean death, String why) throws SQLException {
        Map<String, Object> values = new HashMap<>(Map.of("job", job.id(), "attempt", job.attempt(), "death", death));
        values.put("why", why);
        transactions.in(c -> handBack.rows(c, values));
        held.remove(job);
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
