package dev.freshet.stats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.Page;
import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.api.Times;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What callers may ask about jobs: queue one, look at them, retry, cancel. */
public final class JobRequests {
    /** Who may queue jobs: the flag that switches them off, and how urgent theirs are. */
    private enum Trigger {
        ADMIN("admin", Setting.JOBS_ADMIN, 1),
        CRON("cron", Setting.JOBS_CRON, 1),
        POST_MATCH("post-match", Setting.JOBS_MATCH, 2);

        private final String name;
        private final Setting flag;
        private final int priority;

        Trigger(String name, Setting flag, int priority) {
            this.name = name;
            this.flag = flag;
            this.priority = priority;
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_ID = 200;
    private static final List<String> STATUSES = List.of("queued", "processing", "completed", "failed");
    private static final List<String> JSON_COLUMNS = List.of("job_payload", "results");

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

    public Map<String, Object> health() {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("status", "healthy");
        answer.put("queue", settings.text(Setting.QUEUE_NAME).orElse(null));
        answer.put("supportedTriggers", List.of("admin", "cron", "post-match"));
        answer.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        return answer;
    }

    public Map<String, Object> enqueue(Map<String, Object> body) throws SQLException {
        Trigger trigger = trigger(body.get("triggeredBy"));
        String requestId = requestId(body.get("requestId"));
        for (String field : List.of("matchId", "userId")) {
            if (body.get(field) != null
                    && !(body.get(field) instanceof String)
                    && !(body.get(field) instanceof Number)) {
                throw wrong(field + ": must be a string or a number");
            }
        }
        String tenant = tenant(body.get("tenantId"));
        refuseIfSwitchedOff(trigger);
        Map<String, Object> values = new HashMap<>();
        values.put("requestId", requestId);
        values.put("payload", json(body));
        values.put("priority", trigger.priority);
        values.put("tenant", tenant);
        values.put("queue", settings.text(Setting.QUEUE_NAME).orElse(null));
        values.put("source", trigger.name);
        Map<String, Object> row = transactions.in(c -> enqueue.rows(c, values)).get(0);
        return answer(
                (String) row.get("job_id"),
                (Boolean) row.get("is_new") ? "Stats job queued" : "This request was made before: it is the same job");
    }

    /** The nightly job: one, whichever and however many instances have the same moment. */
    public void enqueueByCron(java.util.Date moment) throws SQLException {
        enqueue(Map.of("triggeredBy", "cron", "requestId", "cron-" + moment.toInstant()));
    }

    public Map<String, Object> list(Object status, Object limit, Object offset) throws SQLException {
        if (status != null && !STATUSES.contains(status.toString())) {
            throw new Refused(400, "status: must be one of " + String.join(", ", STATUSES));
        }
        Page page = Page.of(limit, offset);
        Map<String, Object> which = new HashMap<>(Map.of("limit", page.limit(), "offset", page.offset()));
        which.put("id", null);
        which.put("status", status);
        List<Map<String, Object>> rows = transactions.in(c -> jobs.rows(c, which));
        long total = (Long) transactions.in(c -> count.rows(c, which)).get(0).get("total_count");
        rows.forEach(JobRequests::readable);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("jobs", rows);
        answer.put("total_count", total);
        answer.put("has_more", page.offset() + rows.size() < total);
        return answer;
    }

    public Map<String, Object> one(String id) throws SQLException {
        Map<String, Object> which = new HashMap<>(Map.of("id", known(id), "limit", 1, "offset", 0));
        which.put("status", null);
        List<Map<String, Object>> rows = transactions.in(c -> jobs.rows(c, which));
        if (rows.isEmpty()) {
            throw new Refused(404, "there is no job " + id);
        }
        readable(rows.get(0));
        return rows.get(0);
    }

    public Map<String, Object> retry(String id) throws SQLException {
        return change(retry, id, "failed", "queued again; only the functions that failed run");
    }

    public Map<String, Object> cancel(String id) throws SQLException {
        return change(cancel, id, "queued", "cancelled");
    }

    private Map<String, Object> change(SqlFile how, String id, String needed, String done) throws SQLException {
        UUID job = known(id);
        List<Map<String, Object>> rows = transactions.in(c -> how.rows(c, Map.of("job", job)));
        if (rows.isEmpty()) {
            throw new Refused(404, "there is no job " + job);
        }
        if (!(Boolean) rows.get(0).get("changed")) {
            throw new Refused(409, "the job is " + rows.get(0).get("status") + ", not " + needed);
        }
        return answer(job.toString(), "Job " + done);
    }

    private static Map<String, Object> answer(String id, String message) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("jobId", id);
        answer.put("message", message);
        return answer;
    }

    private void refuseIfSwitchedOff(Trigger trigger) {
        for (Setting flag : List.of(Setting.JOBS_GLOBAL, trigger.flag)) {
            if (!settings.flag(flag)) {
                throw new Refused(Problem.of(
                                409,
                                "Background jobs are switched off",
                                flag.environment + "=false: jobs triggered by " + trigger.name
                                        + " are not taken here; run the functions yourself, or set it to true")
                        .with("success", false)
                        .with("flag", flag.environment));
            }
        }
    }

    private static Trigger trigger(Object given) {
        for (Trigger trigger : Trigger.values()) {
            if (trigger.name.equals(given)) {
                return trigger;
            }
        }
        throw wrong("triggeredBy: " + (given == null ? "is missing; it must be" : "must be")
                + " \"admin\", \"cron\" or \"post-match\"");
    }

    private static String requestId(Object given) {
        if (!(given instanceof String id) || id.isBlank() || id.length() > LONGEST_ID) {
            throw wrong("requestId: must be a string of 1 to " + LONGEST_ID + " characters");
        }
        return id;
    }

    private static String tenant(Object given) {
        if (given == null) {
            return null;
        }
        if (given instanceof String text && text.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")) {
            return text;
        }
        throw wrong("tenantId: must be a UUID");
    }

    private static UUID known(String id) {
        try {
            return UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw new Refused(400, "id: must be a job's id (a UUID), as listed by GET /api/admin/jobs");
        }
    }

    private static Refused wrong(String what) {
        return new Refused(Problem.of(400, "Invalid request", what).with("success", false));
    }

    private static String json(Map<String, Object> body) {
        try {
            return JSON.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void readable(Map<String, Object> job) {
        Times.readable(job).replaceAll((name, value) -> {
            try {
                return value instanceof String text && JSON_COLUMNS.contains(name) ? JSON.readTree(text) : value;
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
