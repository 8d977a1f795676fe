package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.api.Refused;
import dev.freshet.database.Transactions;
import dev.freshet.observe.JobMeters;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RunningRoutes;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.ref.WeakReference;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stats jobs step by step, with workers that the test plays itself. A lease ends when the test says so. */
class StatsTest {
    private static final String RATINGS = "update_power_ratings";
    private static final List<String> ROUTES = List.of(
            "stats.camel.yaml",
            "targets/tag.camel.yaml",
            "targets/batch.camel.yaml",
            "deliver.camel.yaml",
            "queue.camel.yaml",
            "errors.camel.yaml",
            "audit.camel.yaml");

    private TestDatabase database;
    private JobFunctions functions;
    private final JobMeters meters = new JobMeters(new SimpleMeterRegistry(), "me", "stats");

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        functions = new JobFunctions(database::connect);
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    @Test
    void a_function_that_takes_too_long_fails_with_that_reason() throws Exception {
        functions.during("IF name = '" + RATINGS + "' THEN " + JobFunctions.WAIT_AT_THE_GATE + " END IF;");
        String job = functions.queue();
        try (RunningRoutes freshet = new RunningRoutes(database, ROUTES, "FRESHET_STATS_TIMEOUT=500ms")) {
            functions.await(job, "failed");
        }
        assertEquals(
                "1 of " + JobFunctions.COUNT + " functions failed: " + RATINGS
                        + ": took longer than FRESHET_STATS_TIMEOUT (0.5 s)",
                database.one("SELECT error_message FROM background_job_status"));
        assertEquals(JobFunctions.times(1, 0, RATINGS), functions.committed());
        assertEquals(List.of(), functions.waiting());
    }

    @Test
    void a_cancelled_job_is_not_kept_in_memory() {
        StatsFunctions stats =
                new StatsFunctions(new Transactions(database.pool(1)), database.pool(1), meters, Duration.ofSeconds(5));
        WeakReference<Job> cancelled = cancelled(stats);
        Scene.until("nothing holds the job", () -> {
            System.gc();
            return cancelled.get() == null;
        });
        assertNotNull(stats);
    }

    /** A method of its own, so that no variable of the test refers to the job. */
    private static WeakReference<Job> cancelled(StatsFunctions stats) {
        Job job = new Job("7f1c0000-0000-0000-0000-000000000001", 1, null, "admin", "request");
        stats.cancel(job);
        return new WeakReference<>(job);
    }

    @Test
    void without_a_batch_target_the_job_tells_that_no_cache_was_called() throws Exception {
        String job = functions.queue();
        try (RunningRoutes freshet = new RunningRoutes(database, ROUTES)) {
            functions.await(job, "completed");
        }
        assertEquals(
                "false|skipped: no batch target is set (CACHE_INVALIDATION_URL or NEXT_PUBLIC_APP_URL)|"
                        + JobFunctions.ALL_TAGS.size(),
                database.one("SELECT concat_ws('|', results ->> 'cache_invalidation_success', results ->"
                        + " 'cache_invalidation' ->> 'outcome', jsonb_array_length(results -> 'cache_invalidation' ->"
                        + " 'failed_tags')) FROM background_job_status"));
        assertEquals("0", database.one("SELECT count(*) FROM freshet.delivery"));
    }

    @ParameterizedTest
    @CsvSource({
        "USE_BG_JOBS_GLOBAL,admin",
        "USE_BG_JOBS_GLOBAL,cron",
        "USE_BG_JOBS_GLOBAL,post-match",
        "USE_BG_JOBS_ADMIN,admin",
        "USE_BG_JOBS_CRON,cron",
        "USE_BG_JOBS_MATCH,post-match"
    })
    void the_refusal_of_a_disabled_trigger_names_its_flag(String flag, String trigger) throws SQLException {
        JobRequests requests = new JobRequests(new Transactions(database.pool(2)), settings(flag + "=false"));
        Refused refused =
                assertThrows(Refused.class, () -> requests.enqueue(Map.of("triggeredBy", trigger, "requestId", "r")));
        assertEquals(409, refused.problem().status());
        assertTrue(
                refused.problem().json().contains("\"flag\":\"" + flag + "\"")
                        && refused.problem().json().contains("\"success\":false"),
                refused.problem().json());
        assertEquals("0", database.one("SELECT count(*) FROM background_job_status"));
        for (String other : List.of("admin", "cron", "post-match")) {
            if (!other.equals(trigger) && !flag.equals("USE_BG_JOBS_GLOBAL")) {
                assertEquals(
                        true,
                        requests.enqueue(Map.of("triggeredBy", other, "requestId", other))
                                .success());
            }
        }
    }

    @Test
    void two_instances_together_queue_one_nightly_job() throws SQLException {
        Date three = Date.from(Instant.parse("2026-03-01T03:00:00Z"));
        new JobRequests(new Transactions(database.pool(2)), settings()).enqueueByCron(three);
        new JobRequests(new Transactions(database.pool(2)), settings()).enqueueByCron(three);
        assertEquals(List.of("cron"), database.list("SELECT job_payload ->> 'triggeredBy' FROM background_job_status"));
    }

    @Test
    void the_nightly_job_is_queued_at_its_time() throws Exception {
        try (RunningRoutes freshet = new RunningRoutes(database, ROUTES, "FRESHET_STATS_CRON=* * * * * ?")) {
            Scene.until(
                    "it has come twice and run",
                    () -> database.one("SELECT count(*) >= 2 FROM background_job_status WHERE status = 'completed'")
                            .equals("t"));
        }
        assertEquals(
                List.of("cron 1"),
                database.list("SELECT DISTINCT concat_ws(' ', job_payload ->> 'triggeredBy', priority) FROM"
                        + " background_job_status"));
    }

    @Test
    void two_workers_never_take_the_same_job_or_more_jobs_than_may_run() throws SQLException {
        Jobs one = worker("one", 2);
        Jobs other = worker("other", 2);
        functions.queue();
        functions.queue();
        functions.queue();
        Job first = one.claim();
        Job second = other.claim();
        assertTrue(!first.id().equals(second.id()));
        assertNull(one.claim());
        assertNull(other.claim());
        assertEquals(
                List.of("one", "other"),
                database.list("SELECT worker_id FROM background_job_status WHERE status = 'processing' ORDER BY 1"));
    }

    @Test
    void a_job_that_loses_its_worker_four_times_fails_with_that_reason() throws SQLException {
        String job = functions.queue();
        Jobs jobs = worker("mortal", 1);
        for (int life = 1; life <= 4; life++) {
            Job attempt = jobs.claim();
            assertNotNull(attempt, "life " + life);
            assertEquals(job, attempt.id());
            assertNull(jobs.claim(), "while its lease lasts");
            endLease();
        }
        assertNull(jobs.claim());
        assertEquals(
                "failed|its worker died 4 times while running it|1",
                database.one("SELECT concat_ws('|', status, error_message, retry_count) FROM background_job_status"));
        assertTrue(database.one("SELECT completed_at IS NOT NULL FROM background_job_status")
                .equals("t"));

        database.run(
                "UPDATE background_job_status SET status='queued', retry_count=retry_count+1 WHERE id='" + job + "'");
        assertNotNull(jobs.claim(), "whoever retries it by hand gives it four lives again");
        endLease();
        assertNotNull(jobs.claim());
    }

    @Test
    void a_heartbeat_keeps_a_job() throws SQLException {
        functions.queue();
        Jobs jobs = worker("alive", 1);
        jobs.claim();
        endLease();
        jobs.heartbeat();
        assertNull(worker("heir", 1).claim());
        assertEquals("processing|0", database.one("SELECT concat_ws('|', status, deaths) FROM background_job_status"));
    }

    @Test
    void a_job_of_the_replaced_worker_is_taken_over_ten_minutes_after_its_start() throws SQLException {
        database.run("INSERT INTO background_job_status (status, started_at) VALUES ('processing', now() - interval '9"
                + " minutes')");
        Jobs jobs = worker("new", 1);
        assertNull(jobs.claim());
        database.run("UPDATE background_job_status SET started_at = now() - interval '11 minutes'");
        assertNotNull(jobs.claim());
    }

    @Test
    void a_worker_that_returns_after_its_job_was_given_to_another_commits_nothing() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        functions.queue();
        StatsFunctions functionsOfZombie = statsFunctions();
        Job old = worker("zombie", 1).claim();
        CompletableFuture<StatsFunctions.Ran> zombie =
                CompletableFuture.supplyAsync(() -> functionsOfZombie.run(old, RATINGS, "player_power_rating"));
        functions.awaitWaiting(1);
        // its lease ends and the job is claimed again, but nobody could terminate its backend
        database.run("UPDATE background_job_status SET attempt = attempt + 1, lease_until = now() + interval '1 hour'");
        functions.openTheGate();
        assertEquals(StatsFunctions.Result.lost, zombie.join().result());
        assertEquals(JobFunctions.times(0, 0), functions.committed());
        assertEquals("0", database.one("SELECT count(*) FROM ran"));
        assertEquals("running", database.one("SELECT status FROM freshet.job_function"));

        Jobs zombieJobs = worker("zombie", 1);
        assertNull(zombieJobs.finish(old, zombieJobs.refresh(old)), "nor does it finish anything");
        assertEquals("processing", database.one("SELECT status FROM background_job_status"));
        assertEquals(
                StatsFunctions.Result.lost,
                functionsOfZombie
                        .run(old, "update_aggregated_hall_of_fame", "hall_of_fame")
                        .result());
        assertEquals(0, functions.begun().get("update_aggregated_hall_of_fame"));
    }

    @Test
    void a_heartbeat_that_finds_its_job_gone_stops_its_functions() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        String job = functions.queue();
        StatsFunctions running = statsFunctions();
        Jobs jobs = new Jobs(
                new Transactions(database.pool(2)),
                running,
                meters,
                new Jobs.Terms("w", "q", 1, Duration.ofHours(1), Duration.ofSeconds(1)),
                true);
        Job attempt = jobs.claim();
        CompletableFuture<StatsFunctions.Ran> ran =
                CompletableFuture.supplyAsync(() -> running.run(attempt, RATINGS, ""));
        functions.awaitWaiting(1);
        database.run("UPDATE background_job_status SET status = 'failed', error_message = 'not wanted' WHERE id = '"
                + job + "'");
        jobs.heartbeat();
        functions.awaitWaiting(0);
        ran.join();
        assertEquals(
                "failed|not wanted",
                database.one("SELECT concat_ws('|', status, error_message) FROM background_job_status"));
    }

    @Test
    void a_job_that_its_own_worker_takes_again_does_not_keep_its_old_functions() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        functions.queue();
        StatsFunctions running = statsFunctions();
        Jobs jobs = new Jobs(
                new Transactions(database.pool(2)),
                running,
                meters,
                new Jobs.Terms("w", "q", 1, Duration.ofHours(1), Duration.ofSeconds(1)),
                true);
        Job old = jobs.claim();
        CompletableFuture<StatsFunctions.Ran> ran = CompletableFuture.supplyAsync(() -> running.run(old, RATINGS, ""));
        functions.awaitWaiting(1);
        database.run("UPDATE background_job_status SET status='queued', retry_count=retry_count+1");
        assertEquals(2, jobs.claim().attempt());
        jobs.heartbeat();
        functions.awaitWaiting(0);
        ran.join();
        assertEquals("processing", database.one("SELECT status FROM background_job_status"));
    }

    @Test
    void what_an_unfinished_job_has_committed_is_owed_to_the_batch_target() throws Exception {
        database.run("INSERT INTO freshet.target (name, served_at) VALUES ('batch', now())");
        String job = functions.queue();
        Jobs jobs = worker("dies", 1);
        assertEquals(
                StatsFunctions.Result.success,
                statsFunctions()
                        .run(jobs.claim(), RATINGS, "player_power_rating")
                        .result());
        database.run("DELETE FROM background_job_status WHERE id = '" + job + "'");
        assertNull(jobs.claim());
        assertEquals(
                List.of("player_power_rating"),
                database.list("SELECT tag FROM freshet.delivery WHERE target = 'batch'"));
        assertNull(jobs.claim());
        assertEquals(List.of("t"), database.list("SELECT refreshed FROM freshet.job_function"));
    }

    private void endLease() throws SQLException {
        database.run("UPDATE background_job_status SET lease_until = now() - interval '1 second' WHERE status ="
                + " 'processing'");
    }

    private Jobs worker(String name, int atOnce) {
        return new Jobs(
                new Transactions(database.pool(2)),
                statsFunctions(),
                meters,
                new Jobs.Terms(name, "queue", atOnce, Duration.ofHours(1), Duration.ofSeconds(1)),
                true);
    }

    private StatsFunctions statsFunctions() {
        DataSource source = database.pool(4);
        return new StatsFunctions(new Transactions(source), source, meters, Duration.ofHours(1));
    }

    private static Settings settings(String... environment) {
        Map<String, String> values = new HashMap<>();
        for (String variable : environment) {
            values.put(variable.split("=")[0], variable.split("=")[1]);
        }
        return new Settings(new SettingSources(values::get, key -> null));
    }
}
