package dev.freshet.stats;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.api.Page;
import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What callers can do with jobs: queue one, list them, retry, cancel. */
public final class JobRequests {
    public record JobsHealth(String status, String queue, List<String> supportedTriggers, String timestamp) {}

    public record JobAnswer(boolean success, String jobId, String message) {}

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record JobList(List<ListedJob> jobs, long totalCount, boolean hasMore) {}

    record QueuedJob(String jobId, boolean isNew) {}

    /** @param status the status that it had before */
    record ChangedJob(String status, boolean changed) {}

    private record NewJob(String requestId, String payload, int priority, String tenant, String queue, String source) {}

    /** @param status null: any status */
    private record InStatus(String status) {}

    /** @param id null: all jobs */
    private record Which(InStatus inStatus, UUID id, Page page) {}

    private static final List<String> STATUSES = List.of("queued", "processing", "completed", "failed");

    private final SqlFile enqueue = SqlFile.of("stats/enqueue-job");
    private final SqlFile jobs = SqlFile.of("stats/jobs");
    private final SqlFile count = SqlFile.of("stats/count-jobs");
    private final SqlFile retry = SqlFile.of("stats/retry-job");
    private final SqlFile cancel = SqlFile.of("stats/cancel-job");
    private final Transactions transactions;
    private final Settings settings;

    public JobRequests(Transactions transactions, Settings settings) {
        this.transactions = transactions;
        this.settings = settings;
    }

    public JobsHealth health() {
        return new JobsHealth(
                "healthy",
                settings.text(Setting.QUEUE_NAME).orElse(null),
                List.of("admin", "cron", "post-match"),
                Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    }

    public JobAnswer enqueue(Map<String, Object> body) throws SQLException {
        JobRequest request = JobRequest.of(body);
        refuseIfSwitchedOff(request.trigger());
        NewJob job = new NewJob(
                request.requestId(),
                Json.text(body),
                request.trigger().priority,
                request.tenant(),
                settings.text(Setting.QUEUE_NAME).orElse(null),
                request.trigger().word);
        QueuedJob queued = transactions.in(c -> enqueue.row(c, job, QueuedJob.class));
        String message = queued.isNew() ? "Stats job queued" : "This request was made before: it is the same job";
        return new JobAnswer(true, queued.jobId(), message);
    }

    /** Queues the nightly job: only one, even if several instances reach the same moment. */
    public void enqueueByCron(Date moment) throws SQLException {
        enqueue(Map.of("triggeredBy", "cron", "requestId", "cron-" + moment.toInstant()));
    }

    public JobList list(Object status, Object limit, Object offset) throws SQLException {
        if (status != null && !STATUSES.contains(status.toString())) {
            throw new Refused(400, "status: must be one of " + String.join(", ", STATUSES));
        }
        Page page = Page.of(limit, offset);
        InStatus which = new InStatus(status == null ? null : status.toString());
        Which shown = new Which(which, null, page);
        List<ListedJob> listed = transactions.in(c -> jobs.rows(c, shown, ListedJob.class));
        long total = transactions.in(c -> count.row(c, which, Long.class));
        return new JobList(listed, total, page.offset() + listed.size() < total);
    }

    public ListedJob one(String id) throws SQLException {
        Which which = new Which(new InStatus(null), known(id), new Page(1, 0));
        return transactions
                .in(c -> jobs.firstRow(c, which, ListedJob.class))
                .orElseThrow(() -> new Refused(404, "there is no job " + id));
    }

    public JobAnswer retry(String id) throws SQLException {
        return change(retry, id, "failed", "queued again; only the functions that failed run");
    }

    public JobAnswer cancel(String id) throws SQLException {
        return change(cancel, id, "queued", "cancelled");
    }

    private JobAnswer change(SqlFile how, String id, String needed, String done) throws SQLException {
        UUID job = known(id);
        ChangedJob found = transactions
                .in(c -> how.firstRow(c, Map.of("job", job), ChangedJob.class))
                .orElseThrow(() -> new Refused(404, "there is no job " + job));
        if (!found.changed()) {
            throw new Refused(409, "the job is " + found.status() + ", not " + needed);
        }
        return new JobAnswer(true, job.toString(), "Job " + done);
    }

    private void refuseIfSwitchedOff(JobRequest.Trigger trigger) {
        for (Setting flag : List.of(Setting.JOBS_GLOBAL, trigger.flag)) {
            if (!settings.flag(flag)) {
                throw new Refused(Problem.of(
                                409,
                                "Background jobs are switched off",
                                flag.environment + "=false: jobs triggered by " + trigger.word
                                        + " are not taken here; run the functions yourself, or set it to true")
                        .with("success", false)
                        .with("flag", flag.environment));
            }
        }
    }

    private static UUID known(String id) {
        try {
            return UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw new Refused(400, "id: must be a job's id (a UUID), as listed by GET /api/admin/jobs");
        }
    }
}
