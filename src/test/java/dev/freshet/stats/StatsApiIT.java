package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import java.net.URI;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Section 3 over HTTP. Functions wait at the gate, so jobs stay in the state that a test needs. */
class StatsApiIT {
    private static final String ENQUEUE = "/api/admin/enqueue-stats-job";
    private static final String JOBS = "/api/admin/jobs";
    private static final String NO_SUCH_JOB = "00000000-0000-0000-0000-000000000000";
    private static final String KEY = "Authorization: Bearer full-key-51b2";
    private static final String READ_KEY = "x-api-key: read-key-90c1";
    private static final String JSON = "Content-Type: application/json";

    private static Scene scene;
    private static JobFunctions functions;
    private static RawHttp api;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("INTERNAL_API_KEY=full-key-51b2", "FRESHET_READ_KEY=read-key-90c1", "QUEUE_NAME=my-queue");
        functions = new JobFunctions(scene.database::connect);
        api = new RawHttp(URI.create(scene.start().url()).getPort());
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @BeforeEach
    void clearJobs() throws SQLException {
        functions.openTheGate();
        Scene.until(
                "no job is open",
                () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM background_job_status WHERE status IN ('queued',"
                        + " 'processing'))"));
        scene.database.run(
                "DELETE FROM background_job_status; DELETE FROM freshet.job_function; DELETE FROM freshet.job_request");
        functions.reset();
    }

    @Test
    void a_request_becomes_a_job() throws SQLException {
        JsonNode answer = enqueue(
                "{\"triggeredBy\":\"post-match\",\"requestId\":\"r-1\",\"matchId\":\"m-7\",\"userId\":\"u-9\"}");
        assertTrue(answer.get("success").asBoolean());
        assertFalse(answer.get("message").asText().isEmpty());
        String job = answer.get("jobId").asText();
        functions.await(job, "completed");
        assertEquals(
                "stats_update|2|r-1|m-7|u-9|post-match",
                scene.one(
                        "SELECT concat_ws('|', job_type, priority, job_payload ->> 'requestId', job_payload ->>"
                                + " 'matchId', job_payload ->> 'userId', job_payload ->> 'triggeredBy') FROM"
                                + " background_job_status WHERE id = ?::uuid",
                        job));
        Scene.until(
                "it is in the audit",
                () -> scene.isTrue(
                        "SELECT count(*) = 1 FROM invalidation_audit WHERE request_id = 'r-1' AND kind = 'job' AND"
                                + " outcome = 'completed'"));
    }

    @Test
    void twenty_identical_requests_at_once_are_one_job() throws SQLException {
        List<CompletableFuture<JsonNode>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            answers.add(CompletableFuture.supplyAsync(() -> enqueue(request("the-same"))));
        }
        List<String> jobs = answers.stream()
                .map(answer -> answer.join().get("jobId").asText())
                .distinct()
                .toList();
        assertEquals(1, jobs.size(), jobs.toString());
        functions.await(jobs.get(0), "completed");
        assertEquals(jobs, scene.database.list("SELECT id FROM background_job_status"));
        assertEquals(JobFunctions.times(1, 1), functions.begun());
    }

    @Test
    void a_request_is_remembered_after_its_job_was_deleted() throws SQLException {
        String job = enqueue(request("deleted")).get("jobId").asText();
        functions.await(job, "completed");
        scene.database.run(
                "DELETE FROM background_job_status WHERE status = 'completed' AND created_at < now() + interval '1"
                        + " day'");
        assertEquals(job, enqueue(request("deleted")).get("jobId").asText());
        assertEquals("0", scene.one("SELECT count(*) FROM background_job_status"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | triggeredBy",
                "{\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":\"nobody\",\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":5,\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":\"ADMIN\",\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":null,\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":[\"admin\"],\"requestId\":\"r\"} | triggeredBy",
                "{\"triggeredBy\":\"admin\"} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"\"} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"  \"} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":7} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":null} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"a\\u0000b\"} | requestId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"matchId\":{}} | matchId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"userId\":[1]} | userId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"matchId\":true} | matchId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"tenantId\":\"acme\"} | tenantId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"tenantId\":5} | tenantId",
                "{\"triggeredBy\":\"admin\",\"requestId\":\"r\",\"more\":\"a\\u0000b\"} | more",
                "[] | body",
                "5 | body",
                "{\"triggeredBy\": | JSON",
                "{} {} | JSON"
            })
    void a_bad_request_is_refused_with_the_field_that_is_wrong(String body, String field) throws SQLException {
        assertRefused(body, field);
    }

    @Test
    void a_request_id_has_at_most_200_characters() throws SQLException {
        assertRefused(request("r".repeat(201)), "requestId");
        assertEquals(200, api.post(ENQUEUE, request("r".repeat(200)), KEY, JSON).status());
    }

    private static void assertRefused(String body, String field) throws SQLException {
        RawHttp.Answer answer = api.post(ENQUEUE, body, KEY, JSON);
        assertEquals(400, answer.status(), answer.body());
        assertEquals("false", answer.json().path("success").toString(), answer.body());
        assertFalse(answer.json().path("error").asText().isEmpty(), answer.body());
        assertTrue(answer.json().path("message").asText().contains(field), answer.body());
        assertEquals("0", scene.one("SELECT count(*) FROM background_job_status"));
    }

    @Test
    void jobs_are_listed_newest_first_and_by_status() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        String first = enqueue(request("first")).get("jobId").asText();
        functions.awaitWaiting(JobFunctions.COUNT);
        String second = enqueue(request("second")).get("jobId").asText();
        String third = enqueue(request("third")).get("jobId").asText();
        JsonNode all = list("");
        assertEquals(List.of(third, second, first), ids(all));
        assertEquals(3, all.get("total_count").asInt());
        assertFalse(all.get("has_more").asBoolean());
        assertEquals(List.of(first), ids(list("?status=processing")));
        assertEquals(List.of(third, second), ids(list("?status=queued")));
        assertEquals(List.of(), ids(list("?status=failed")));
        JsonNode middle = list("?limit=1&offset=1");
        assertEquals(List.of(second), ids(middle));
        assertEquals(3, middle.get("total_count").asInt());
        assertTrue(middle.get("has_more").asBoolean());
        for (String wrong : List.of("status=running", "limit=0", "limit=-1", "limit=x", "offset=-1")) {
            RawHttp.Answer answer = api.ask("GET " + JOBS + "?" + wrong, KEY);
            assertEquals(400, answer.status(), wrong);
            assertTrue(
                    answer.json().get("detail").asText().contains(wrong.substring(0, wrong.indexOf('='))),
                    answer.body());
        }
    }

    @Test
    void a_job_is_shown_with_the_columns_of_its_row() throws Exception {
        functions.during("IF name = 'update_power_ratings' THEN RAISE EXCEPTION 'no ratings'; END IF;");
        String job = enqueue(request("one")).get("jobId").asText();
        functions.await(job, "failed");
        JsonNode shown = api.ask("GET " + JOBS + "/" + job, KEY).json();
        assertEquals(job, shown.get("id").asText());
        assertEquals("failed", shown.get("status").asText());
        assertEquals(1, shown.get("retry_count").asInt());
        assertEquals("one", shown.get("job_payload").get("requestId").asText());
        assertEquals(
                JobFunctions.COUNT - 1,
                shown.get("results").get("successful_functions").asInt());
        assertTrue(shown.get("error_message").asText().contains("update_power_ratings: no ratings"));
        for (String time : List.of("started_at", "completed_at", "created_at", "updated_at")) {
            assertTrue(shown.get(time).asText().matches("\\d{4}-\\d\\d-\\d\\dT.*Z"), time + ": " + shown);
        }
        assertEquals(404, api.ask("GET " + JOBS + "/" + NO_SUCH_JOB, KEY).status());
        assertEquals(400, api.ask("GET " + JOBS + "/seven", KEY).status());
    }

    @Test
    void only_a_failed_job_is_retried() throws Exception {
        functions.during("IF name = 'update_power_ratings' THEN RAISE EXCEPTION 'no ratings'; END IF; "
                + JobFunctions.WAIT_AT_THE_GATE);
        String job = enqueue(request("to-be-retried")).get("jobId").asText();
        String queued = enqueue(request("waits")).get("jobId").asText();
        functions.awaitWaiting(JobFunctions.COUNT - 1);
        assertChange(409, job, "retry", "processing");
        assertChange(409, queued, "retry", "queued");
        functions.openTheGate();
        functions.await(job, "failed");
        functions.await(queued, "failed");
        functions.during("");
        assertChange(200, job, "retry", "");
        functions.await(job, "completed");
        assertChange(409, job, "retry", "completed");
        assertChange(404, NO_SUCH_JOB, "retry", NO_SUCH_JOB);
        assertChange(400, "seven", "retry", "id");
    }

    @Test
    void only_a_queued_job_is_cancelled() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        String running = enqueue(request("runs")).get("jobId").asText();
        functions.awaitWaiting(JobFunctions.COUNT);
        String queued = enqueue(request("is-cancelled")).get("jobId").asText();
        assertChange(200, queued, "cancel", "");
        assertEquals(
                "failed cancelled 0",
                scene.one(
                        "SELECT concat_ws(' ', status, error_message, retry_count) FROM background_job_status WHERE id"
                                + " = ?::uuid",
                        queued));
        assertChange(409, queued, "cancel", "failed");
        assertChange(409, running, "cancel", "processing");
        assertChange(404, NO_SUCH_JOB, "cancel", NO_SUCH_JOB);
        assertChange(400, "seven", "cancel", "id");
        functions.openTheGate();
        functions.await(running, "completed");
        assertChange(409, running, "cancel", "completed");
        String after = functions.queue();
        functions.await(after, "completed");
        assertEquals("failed", functions.status(queued), "it has not run");
        assertEquals(JobFunctions.times(2, 2), functions.begun());
        assertChange(200, queued, "retry", "");
        functions.await(queued, "completed");
    }

    private static void assertChange(int status, String job, String what, String says) {
        RawHttp.Answer answer = api.post(JOBS + "/" + job + "/" + what, "", KEY);
        assertEquals(status, answer.status(), answer.body());
        assertEquals(status == 200, answer.json().get("success").asBoolean(), answer.body());
        assertTrue(answer.json().get("message").asText().contains(says), answer.body());
        if (status == 200) {
            assertEquals(job, answer.json().get("jobId").asText());
        }
    }

    @Test
    void the_old_health_request_is_answered() {
        JsonNode health = api.ask("GET " + ENQUEUE, KEY).json();
        assertEquals("healthy", health.get("status").asText());
        assertEquals(
                "[\"admin\",\"cron\",\"post-match\"]",
                health.get("supportedTriggers").toString());
        assertEquals("my-queue", health.get("queue").asText());
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/admin/enqueue-stats-job,200,200",
        "POST,/api/admin/enqueue-stats-job,400,403",
        "GET,/api/admin/jobs,200,200",
        "GET,/api/admin/jobs/" + NO_SUCH_JOB + ",404,404",
        "POST,/api/admin/jobs/" + NO_SUCH_JOB + "/retry,404,403",
        "POST,/api/admin/jobs/" + NO_SUCH_JOB + "/cancel,404,403"
    })
    void a_key_opens_only_what_it_is_for(String method, String path, int full, int read) {
        String request = method + ' ' + path;
        assertEquals(401, api.ask(request).status());
        assertEquals(401, api.ask(request, "Authorization: Bearer wrong").status());
        assertEquals(full, api.ask(request, KEY).status());
        assertEquals(read, api.ask(request, READ_KEY).status());
    }

    private static String request(String id) {
        return "{\"triggeredBy\":\"admin\",\"requestId\":\"" + id + "\"}";
    }

    private static JsonNode enqueue(String body) {
        RawHttp.Answer answer = api.post(ENQUEUE, body, KEY, JSON);
        assertEquals(200, answer.status(), answer.body());
        return answer.json();
    }

    private static JsonNode list(String query) {
        RawHttp.Answer answer = api.ask("GET " + JOBS + query, READ_KEY);
        assertEquals(200, answer.status(), answer.body());
        return answer.json();
    }

    private static List<String> ids(JsonNode list) {
        List<String> ids = new ArrayList<>();
        list.get("jobs").forEach(job -> ids.add(job.get("id").asText()));
        return ids;
    }
}
