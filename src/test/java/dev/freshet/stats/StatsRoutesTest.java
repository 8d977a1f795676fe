package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.stats.StatsFunctions.Ran;
import dev.freshet.stats.StatsFunctions.Result;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RouteTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.Processor;
import org.junit.jupiter.api.Test;

class StatsRoutesTest extends RouteTest {
    private static final Job JOB = new Job("j1", 1, null, "match", "r1");
    private static final Ran WELL = new Ran("f", Result.success, null);

    StatsRoutesTest() {
        super("stats.camel.yaml", "errors.camel.yaml");
        set("freshet.run.worker-id", "worker-1");
        set("freshet.stats.heartbeat-ms", "70");
        set("freshet.stats.cron", "0 0 3 * * ?");
    }

    @Test
    void a_job_is_claimed_and_run_and_then_the_next_one_is_looked_for() throws Exception {
        answer("jobs.claim", JOB);
        send("poll-jobs", "what only the poll knows");
        send("wake seda:claim-job");
        assertEquals(
                List.of(
                        "wake seda:claim-job",
                        "jobs.claim()",
                        "INFO Received job: j1",
                        "seda:run-job " + JOB,
                        "wake seda:claim-job"),
                happened());
        assertEquals(Duration.ofSeconds(1), every("poll-jobs"));
    }

    @Test
    void without_a_job_nothing_runs() throws Exception {
        send("wake seda:claim-job");
        assertEquals(List.of("jobs.claim()"), happened());
    }

    @Test
    void all_functions_run_and_then_the_job_is_finished() throws Exception {
        answer("stats.run", WELL);
        answer("jobs.refresh", refresh());
        answer("jobs.finish", new Jobs.Finished("j1", "completed", 41, null));
        send("seda:run-job", JOB);
        List<String> happened = new ArrayList<>(happened());
        assertEquals("INFO Processing all stats functions in parallel...", happened.remove(0));
        List<String> runs = happened.subList(0, JobFunctions.COUNT);
        assertEquals(
                JobFunctions.TAGS.entrySet().stream()
                        .map(function -> "stats.run(" + JOB + ", " + function.getKey() + ", "
                                + String.join(", ", function.getValue()) + ")")
                        .toList(),
                runs);
        List<String> then = happened.subList(JobFunctions.COUNT, happened.size());
        assertEquals("stats.interrupted(" + Collections.nCopies(JobFunctions.COUNT, WELL) + ")", then.get(0));
        assertEquals("jobs.refresh(" + JOB + ")", then.get(1));
        assertTrue(then.get(2).startsWith("jobs.finish(" + JOB + ", "), then.get(2));
        assertTrue(then.get(3).startsWith("direct:wake-deliveries "), then.get(3));
        assertEquals(
                List.of("INFO Job j1 completed successfully in 41ms", "wake seda:claim-job"),
                then.subList(4, then.size()));
    }

    /** Other tests take the functions from the route file, so this one holds that file to the contract. */
    @Test
    void the_functions_of_the_contract_run_with_its_tags() throws IOException {
        Map<String, List<String>> contract = Pattern.compile("^\\| `(update_\\w+)` \\| (.+) \\|$", Pattern.MULTILINE)
                .matcher(Files.readString(Path.of("docs/contract.md")))
                .results()
                .collect(Collectors.toMap(
                        row -> row.group(1),
                        row -> List.of(row.group(2).replace("`", "").split(", "))));
        assertEquals(10, contract.size(), contract.toString());
        contract.forEach((function, tags) -> assertEquals(tags, JobFunctions.TAGS.get(function), function));
    }

    @Test
    void a_job_that_was_interrupted_is_queued_again() throws Exception {
        answer("stats.interrupted", true);
        finish();
        assertEquals(
                List.of("stats.interrupted([])", "jobs.interrupted(" + JOB + ")", "wake seda:claim-job"), happened());
    }

    @Test
    void the_end_of_a_job_is_logged() throws Exception {
        send("direct:log-finished", new Jobs.Finished("j1", "failed", 41, "f: division by zero"));
        send("direct:log-finished", null, Map.of(), Map.of("job", JOB));
        assertEquals(
                List.of(
                        "WARN Job j1 failed after 41ms: f: division by zero",
                        "INFO Job j1 was taken away while it ran"),
                happened());
    }

    @Test
    void the_next_attempt_for_stale_tags_carries_only_those_left() throws Exception {
        List<Object> batches = new ArrayList<>();
        answer("direct:post-batch", batch(batches, 207, "{\"failed_tags\":[\"b\"]}"), batch(batches, 200, "{}"));
        Refresh refresh = refresh("a", "b");
        answer("jobs.refresh", refresh);
        finish();
        assertEquals(
                List.of(
                        Map.of("tags", List.of("a", "b"), "source", "job-match", "requestId", "r1"),
                        Map.of("tags", List.of("b"), "source", "job-match", "requestId", "r1")),
                batches);
        assertEquals(List.of("a", "b"), refresh.soFar().delivered());
        assertEquals("jobs.finish(" + JOB + ", " + refresh + ")", happened().get(4));
    }

    @Test
    void timers_keep_leases_queue_the_nightly_job_and_forget_deleted_jobs() throws Exception {
        Date midnight = new Date(0);
        send("listen-for-jobs");
        send("keep-jobs");
        send("queue-nightly-job", null, Map.of("scheduledFireTime", midnight));
        send("forget-jobs");
        assertEquals(
                List.of(
                        "INFO Worker listening for jobs on queue: stats-update-queue",
                        "INFO Jobs are taken as worker worker-1",
                        "jobs.heartbeat()",
                        "jobRequests.enqueueByCron(" + midnight + ")",
                        "jobs.forgetDeleted()"),
                happened());
        assertEquals(Duration.ofMillis(70), every("keep-jobs"));
        assertEquals("quartz:stats/nightly?cron=0 0 3 * * ?", from("queue-nightly-job"));
        assertEquals("false", autoStartup("queue-nightly-job"));
        assertEquals(Duration.ofHours(1), every("forget-jobs"));
    }

    private void finish() throws Exception {
        send("direct:finish-job", List.of(), Map.of(), Map.of("job", JOB));
    }

    private static Refresh refresh(String... tags) {
        return new Refresh(JOB, List.of(tags), null, null, true);
    }

    private static Processor batch(List<Object> sent, int status, String body) {
        return exchange -> {
            sent.add(exchange.getVariable("batch"));
            exchange.getMessage().setHeader("CamelHttpResponseCode", status);
            exchange.getMessage().setBody(body);
        };
    }
}
