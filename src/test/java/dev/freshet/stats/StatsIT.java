package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Stats jobs from the row to the caches: all functions in parallel, and then one call. */
class StatsIT {
    private static final String HALL = "update_aggregated_hall_of_fame";
    private static final String RATINGS = "update_power_ratings";
    private static final String KEY = "Authorization: Bearer full-key-51b2";
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Scene scene;
    private static JsonReceiver receiver;
    private static JobFunctions functions;
    private static FreshetProcess freshet;

    @BeforeAll
    static void open() throws Exception {
        receiver = new JsonReceiver();
        scene = new Scene(
                "NEXT_PUBLIC_APP_URL=" + receiver.url, "INTERNAL_API_KEY=full-key-51b2", "WORKER_ID=stats-worker");
        functions = new JobFunctions(scene.database::connect);
        freshet = scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
        receiver.close();
    }

    @BeforeEach
    void clearJobs() throws SQLException {
        functions.openTheGate();
        Scene.until(
                "no job is open",
                () -> scene.isTrue(
                        "SELECT NOT EXISTS (SELECT FROM background_job_status WHERE status IN ('queued', 'processing')"
                                + " AND job_type = 'stats_update')"));
        scene.database.run(
                "DELETE FROM background_job_status; DELETE FROM freshet.job_function; DELETE FROM freshet.job_request;"
                        + " DELETE FROM freshet.delivery; DELETE FROM freshet.dead_letter; UPDATE freshet.target SET"
                        + " failing_tags = '{}', open_until = NULL, opened_at = NULL");
        functions.reset();
        receiver.forget();
    }

    @Test
    void all_functions_run_at_the_same_time_each_on_its_own_backend_and_in_its_own_transaction() throws SQLException {
        functions.during(JobFunctions.WAIT_FOR_ALL);
        functions.await(functions.queue(), "completed");
        assertTrue(
                scene.isTrue("SELECT max(started) < min(ended) FROM ran"),
                "the last begins before the first has ended");
        assertEquals(
                "%1$d %1$d %1$d".formatted(JobFunctions.COUNT),
                scene.one("SELECT concat_ws(' ', count(DISTINCT function), count(DISTINCT pid), count(DISTINCT"
                        + " transaction)) FROM ran"));
    }

    @Test
    void a_completed_job_tells_what_each_function_did() throws Exception {
        String job = functions.queue();
        functions.await(job, "completed");
        JsonNode results = results(job);
        assertEquals(JobFunctions.COUNT, results.get("total_functions").asInt());
        assertEquals(JobFunctions.COUNT, results.get("successful_functions").asInt());
        assertEquals(0, results.get("failed_functions").asInt());
        assertTrue(results.get("cache_invalidation_success").asBoolean());
        TreeSet<String> named = new TreeSet<>();
        for (JsonNode function : results.get("function_results")) {
            named.add(function.get("function").asText());
            assertEquals("success", function.get("status").asText());
            assertTrue(
                    function.get("duration").isNumber()
                            && function.get("duration").asInt() >= 0,
                    function.toString());
            assertFalse(function.has("error"), function.toString());
        }
        assertEquals(new TreeSet<>(JobFunctions.NAMES), named);
        assertEquals(
                "0||stats-worker|stats-update-queue|t|t",
                scene.one("SELECT concat_ws('|', retry_count, coalesce(error_message, ''), worker_id, queue_name,"
                        + " started_at BETWEEN created_at AND completed_at, completed_at <= now()) FROM"
                        + " background_job_status"));
        for (String line : List.of(
                "Worker listening for jobs on queue: stats-update-queue",
                "Jobs are taken as worker",
                "Received job: " + job,
                "Processing all stats functions in parallel...",
                "Job " + job + " completed successfully in ")) {
            assertTrue(freshet.log().contains(line), line);
        }
    }

    @Test
    void the_progress_of_a_running_job_is_visible() throws Exception {
        functions.during(
                "IF name IN ('" + HALL + "', '" + RATINGS + "') THEN " + JobFunctions.WAIT_AT_THE_GATE + " END IF;");
        String job = functions.queue();
        Scene.until(
                "all others have ended",
                () -> results(job).path("successful_functions").asInt() == JobFunctions.COUNT - 2);
        assertEquals("processing", functions.status(job));
        assertEquals(
                JobFunctions.COUNT - 2, results(job).get("function_results").size());
        assertEquals(
                "[\"" + HALL + "\",\"" + RATINGS + "\"]",
                results(job).get("running_functions").toString());
        functions.openTheGate();
        functions.await(job, "completed");
    }

    @Test
    void a_failing_and_a_missing_function_stop_no_other_and_are_named() throws Exception {
        functions.during("IF name = '" + HALL + "' THEN RAISE EXCEPTION 'nobody is famous'; END IF;");
        functions.drop(RATINGS);
        String job = functions.queue();
        functions.await(job, "failed");
        assertEquals("1", scene.one("SELECT retry_count FROM background_job_status"));
        assertEquals(
                "2 of " + JobFunctions.COUNT + " functions failed: " + HALL + ": nobody is famous; " + RATINGS
                        + ": function " + RATINGS + "() does not exist",
                scene.one("SELECT error_message FROM background_job_status"));
        JsonNode results = results(job);
        assertEquals(JobFunctions.COUNT - 2, results.get("successful_functions").asInt());
        assertEquals(2, results.get("failed_functions").asInt());
        assertTrue(results.get("cache_invalidation_success").asBoolean());
        for (JsonNode function : results.get("function_results")) {
            boolean fails =
                    List.of(HALL, RATINGS).contains(function.get("function").asText());
            assertEquals(fails ? "failed" : "success", function.get("status").asText());
            assertEquals(fails, function.has("error"));
        }
        assertEquals(JobFunctions.times(1, 0, HALL, RATINGS), functions.committed());
        assertEquals(List.of(JobFunctions.tagsWithout(HALL, RATINGS)), tagsOfCalls());
    }

    @Test
    void a_retry_over_http_runs_only_what_failed() throws Exception {
        String job = jobThatFailedInTheHall();
        assertEquals(
                200, api().post("/api/admin/jobs/" + job + "/retry", "", KEY).status());
        assertOnlyTheHallRanAgain(job);
        assertEquals(
                "1",
                scene.one("SELECT retry_count FROM background_job_status"),
                "the failure has counted, the retry does not");
    }

    @Test
    void the_manuals_update_retries_what_failed() throws Exception {
        String job = jobThatFailedInTheHall();
        scene.database.run(
                "UPDATE background_job_status SET status='queued', retry_count=retry_count+1 WHERE id='" + job + "'");
        assertOnlyTheHallRanAgain(job);
        assertEquals("2", scene.one("SELECT retry_count FROM background_job_status"));
    }

    @Test
    void a_completed_job_that_is_queued_again_runs_all_functions_again() throws Exception {
        String job = functions.queue();
        functions.await(job, "completed");
        scene.database.run(
                "UPDATE background_job_status SET status='queued', retry_count=retry_count+1 WHERE id='" + job + "'");
        Scene.until("all have run twice", () -> functions.committed().equals(JobFunctions.times(2, 2)));
        functions.await(job, "completed");
        assertEquals(List.of(JobFunctions.ALL_TAGS, JobFunctions.ALL_TAGS), tagsOfCalls());
    }

    @Test
    void a_running_job_queued_by_hand_starts_anew_and_its_old_functions_commit_nothing() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        String job = functions.queue();
        functions.awaitWaiting(JobFunctions.COUNT);
        List<String> old = functions.waiting();
        scene.database.run(
                "UPDATE background_job_status SET status='queued', retry_count=retry_count+1 WHERE id='" + job + "'");
        Scene.until(
                "others are waiting, all of them",
                () -> functions.waiting().size() == JobFunctions.COUNT
                        && functions.waiting().stream().noneMatch(old::contains));
        functions.openTheGate();
        functions.await(job, "completed");
        assertEquals(JobFunctions.times(2, 2), functions.begun());
        assertEquals(JobFunctions.times(1, 1), functions.committed());
        assertTrue(
                scene.isTrue("SELECT bool_and(NOT pid::text = ANY (?)) FROM ran", (Object) old.toArray(String[]::new)));
    }

    @Test
    void functions_that_deadlock_are_run_again() throws SQLException {
        scene.database.run("CREATE TABLE pitches AS SELECT n FROM generate_series(1, 2) n; CREATE SEQUENCE met");
        functions.during("""
            IF name IN ('%1$s', '%2$s') THEN
                PERFORM FROM pitches WHERE n = CASE name WHEN '%1$s' THEN 1 ELSE 2 END FOR UPDATE;
                PERFORM nextval('met');
                WHILE (SELECT last_value FROM met) < 2 LOOP PERFORM pg_sleep(0.01); END LOOP;
                PERFORM FROM pitches WHERE n = CASE name WHEN '%1$s' THEN 2 ELSE 1 END FOR UPDATE;
            END IF;\
            """.formatted(HALL, RATINGS));
        functions.await(functions.queue(), "completed");
        assertEquals(3, functions.begun().get(HALL) + functions.begun().get(RATINGS), "one of the two once more");
        assertEquals(JobFunctions.times(1, 1), functions.committed());
    }

    @Test
    void a_function_with_a_tenant_parameter_is_called_with_the_tenant() throws Exception {
        String tenant = "8f14e45f-ceea-467f-9b1a-0123456789ab";
        scene.database.run("CREATE FUNCTION " + RATINGS + "(target_tenant_id uuid) RETURNS void LANGUAGE sql AS"
                + " $$ INSERT INTO ran (function, tenant, ended) VALUES ('" + RATINGS
                + "', target_tenant_id, now()) $$");
        try {
            functions.await(
                    enqueue("{\"triggeredBy\":\"admin\",\"requestId\":\"of-a-tenant\",\"tenantId\":\"" + tenant
                            + "\"}"),
                    "completed");
            assertEquals(tenant, scene.one("SELECT tenant FROM ran WHERE function = '" + RATINGS + "'"));
            assertEquals(JobFunctions.times(1, 1), functions.committed());
            assertEquals(tenant, scene.one("SELECT tenant_id FROM background_job_status"));
            functions.await(functions.queue(), "completed");
            assertEquals(2, functions.committed().get(RATINGS));
            assertEquals(1, functions.begun().get(RATINGS), "without a tenant the one without a parameter");
        } finally {
            scene.database.run("DROP FUNCTION " + RATINGS + "(uuid)");
        }
    }

    @Test
    void the_batch_target_is_called_once_with_its_key_and_all_tags() throws Exception {
        functions.await(
                enqueue("{\"triggeredBy\":\"post-match\",\"requestId\":\"match-77\",\"matchId\":77}"), "completed");
        assertEquals(1, receiver.calls.size());
        JsonReceiver.Got call = receiver.calls.get(0);
        assertEquals("/api/internal/cache/invalidate", call.path());
        assertEquals(List.of("Bearer full-key-51b2"), call.headers().get("Authorization"));
        assertEquals(List.of("application/json"), call.headers().get("Content-type"));
        assertEquals(JobFunctions.ALL_TAGS, call.tags());
        assertEquals("job-post-match", call.body().get("source").asText());
        assertEquals("match-77", call.body().get("requestId").asText());
        assertEquals(3, call.body().size(), call.body().toString());
    }

    @Test
    void only_the_tags_that_failed_are_sent_again() throws Exception {
        receiver.next(207, "{\"success\":false,\"failed_tags\":[\"hall_of_fame\",\"match_report\"]}");
        receiver.next(200, "{\"success\":false,\"failed_tags\":[\"match_report\"]}");
        String job = functions.queue();
        functions.await(job, "completed");
        assertEquals(
                List.of(JobFunctions.ALL_TAGS, List.of("hall_of_fame", "match_report"), List.of("match_report")),
                tagsOfCalls());
        assertTrue(results(job).get("cache_invalidation_success").asBoolean());
        assertEquals(3, results(job).get("cache_invalidation").get("tries").asInt());
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.delivery"));
    }

    @Test
    void an_unreachable_cache_fails_no_job_and_is_called_once_it_is_back() throws Exception {
        receiver.always(500, "");
        String job = functions.queue();
        functions.await(job, "completed");
        JsonNode results = results(job);
        assertFalse(results.get("cache_invalidation_success").asBoolean());
        assertEquals(3, results.get("cache_invalidation").get("tries").asInt());
        assertEquals(
                JobFunctions.ALL_TAGS.size(),
                results.get("cache_invalidation").get("failed_tags").size());
        assertEquals("HTTP 500", results.get("cache_invalidation").get("error").asText());
        assertEquals(
                JobFunctions.ALL_TAGS,
                scene.database.list(
                        "SELECT tag FROM freshet.delivery WHERE target = 'batch' ORDER BY tag COLLATE \"C\""));
        Scene.until("the database has tried again", () -> receiver.calls.size() > 3);
        receiver.forget();
        Scene.until("all tags have arrived", () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.delivery"));
        TreeSet<String> arrived = new TreeSet<>();
        receiver.calls.forEach(call -> arrived.addAll(call.tags()));
        assertEquals(new TreeSet<>(JobFunctions.ALL_TAGS), arrived);
    }

    @Test
    void a_target_that_refuses_is_not_called_three_times() throws Exception {
        receiver.always(404, "");
        String job = functions.queue();
        functions.await(job, "completed");
        assertEquals(1, results(job).get("cache_invalidation").get("tries").asInt());
        assertFalse(results(job).get("cache_invalidation_success").asBoolean());
    }

    @Test
    void the_most_urgent_job_runs_first_and_then_the_oldest() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        functions.queue();
        functions.awaitWaiting(JobFunctions.COUNT);
        List<String> jobs = new ArrayList<>();
        for (String trigger : List.of("admin", "cron", "post-match", "admin", "post-match")) {
            jobs.add(enqueue("{\"triggeredBy\":\"" + trigger + "\",\"requestId\":\"number-" + jobs.size() + "\"}"));
        }
        assertEquals(
                "1 1 2 1 2",
                scene.one("SELECT string_agg(priority::text, ' ' ORDER BY job_payload ->> 'requestId') FROM"
                        + " background_job_status WHERE job_payload IS NOT NULL"));
        functions.openTheGate();
        for (String job : jobs) {
            functions.await(job, "completed");
        }
        assertEquals(
                "2 4 0 1 3",
                scene.one("SELECT string_agg(right(job_payload ->> 'requestId', 1), ' ' ORDER BY started_at) FROM"
                        + " background_job_status WHERE job_payload IS NOT NULL"));
    }

    @Test
    void a_row_that_an_application_inserts_is_a_job() throws Exception {
        scene.database.run("INSERT INTO background_job_status (job_type, job_payload, status, priority)"
                + " VALUES ('stats_update', '{\"triggeredBy\":\"post-match\",\"requestId\":\"by-sql\"}', 'queued', 2)");
        functions.await(scene.one("SELECT id FROM background_job_status"), "completed");
        assertEquals(
                "job-post-match", receiver.calls.get(0).body().get("source").asText());
        assertEquals("by-sql", receiver.calls.get(0).body().get("requestId").asText());
    }

    @Test
    void a_job_of_a_foreign_kind_is_left_alone() throws Exception {
        scene.database.run("INSERT INTO background_job_status (job_type, priority) VALUES ('send_newsletter', 9)");
        functions.await(functions.queue(), "completed");
        assertEquals(
                "queued", scene.one("SELECT status FROM background_job_status WHERE job_type = 'send_newsletter'"));
    }

    @Test
    void the_readmes_examples_queue_a_job_and_show_it_to_readers() throws Exception {
        List<String> examples = readme("## Run stats jobs");
        scene.database.runAsSuperuser("DO $$ BEGIN IF to_regrole('anon') IS NULL THEN CREATE ROLE anon LOGIN; END IF;"
                + " IF to_regrole('authenticated') IS NULL THEN CREATE ROLE authenticated LOGIN; END IF; END $$;"
                + " GRANT SELECT ON public.background_job_status TO anon, authenticated");
        functions.during("IF (SELECT last_value FROM public.begun_" + HALL + ") = 1 AND name = '" + HALL
                + "' THEN RAISE EXCEPTION 'not yet'; END IF;");
        String[] statements = examples.get(0).split(";[^\n]*\n");
        scene.database.run(statements[0]);
        String job = scene.one("SELECT id FROM background_job_status");
        functions.await(job, "failed");
        assertEquals(List.of("failed"), scene.database.list(statements[1]));
        try (Connection reader = scene.database.connectAs("anon")) {
            String count = "SELECT count(*) FROM public.background_job_status";
            assertEquals(List.of("0"), TestDatabase.list(reader, count), "without a policy");
            scene.database.run(examples.get(1));
            assertEquals(List.of("1"), TestDatabase.list(reader, count));
        } finally {
            scene.database.run("DROP POLICY IF EXISTS readers_see_jobs ON public.background_job_status");
        }
        scene.database.run(statements[2]);
        functions.await(job, "completed");
        assertEquals(JobFunctions.times(1, 2, HALL), functions.begun());
    }

    /** The SQL blocks under a heading of README.md. */
    private static List<String> readme(String heading) throws IOException {
        String text = Files.readString(Path.of("README.md"));
        String section = text.substring(text.indexOf(heading + "\n"));
        section = section.substring(0, section.indexOf("\n## ", 1));
        return Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL)
                .matcher(section)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    @Test
    void updated_at_is_maintained_whoever_writes() throws Exception {
        functions.await(functions.queue(), "completed");
        assertTrue(scene.isTrue(
                "UPDATE background_job_status SET priority = 5, updated_at = 'epoch' RETURNING updated_at = now()"));
    }

    private static RawHttp api() {
        return new RawHttp(URI.create(freshet.url()).getPort());
    }

    private static String enqueue(String body) {
        RawHttp.Answer answer = api().post("/api/admin/enqueue-stats-job", body, KEY, "Content-Type: application/json");
        assertEquals(200, answer.status(), answer.body());
        return answer.json().get("jobId").asText();
    }

    private static String jobThatFailedInTheHall() throws SQLException {
        functions.during("IF name = '" + HALL + "' THEN RAISE EXCEPTION 'nobody is famous'; END IF;");
        String job = functions.queue();
        functions.await(job, "failed");
        functions.during("");
        receiver.calls.clear();
        return job;
    }

    private static void assertOnlyTheHallRanAgain(String job) throws Exception {
        functions.await(job, "completed");
        assertEquals(JobFunctions.times(1, 2, HALL), functions.begun());
        assertEquals(JobFunctions.times(1, 1), functions.committed());
        assertEquals(
                JobFunctions.COUNT, results(job).get("successful_functions").asInt());
        assertEquals(List.of(List.of("hall_of_fame")), tagsOfCalls());
        assertEquals("", scene.one("SELECT coalesce(error_message, '') FROM background_job_status"));
    }

    private static JsonNode results(String job) throws Exception {
        String results =
                scene.one("SELECT coalesce(results::text, '{}') FROM background_job_status WHERE id = ?::uuid", job);
        return JSON.readTree(results);
    }

    private static List<List<String>> tagsOfCalls() {
        return receiver.calls.stream()
                .map(call -> call.tags().stream().sorted().toList())
                .toList();
    }
}
