package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Hold;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.Scene;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Workers and the database die in the middle of a stats job. */
class StatsCrashIT {
    /** Five functions that keep running while the gate is closed. */
    private static final String[] HELD = {
        "update_half_and_full_season_stats",
        "update_aggregated_hall_of_fame",
        "update_aggregated_match_report_cache",
        "update_aggregated_personal_bests",
        "update_power_ratings"
    };

    private static final String HOLD_FIVE =
            "IF name IN ('" + String.join("', '", HELD) + "') THEN " + JobFunctions.WAIT_AT_THE_GATE + " END IF;";

    private final JsonReceiver receiver = new JsonReceiver();

    @AfterEach
    void close() {
        receiver.close();
    }

    @Test
    void a_job_survives_a_kill_while_five_functions_run_and_the_others_have_committed() throws Exception {
        try (Scene scene = scene()) {
            JobFunctions functions = new JobFunctions(scene.database::connect);
            functions.during(HOLD_FIVE);
            FreshetProcess victim = scene.start();
            String job = functions.queue();
            awaitOnlyTheHeld(functions);
            List<String> old = functions.waiting();
            victim.kill9();
            assertEquals(old, functions.waiting(), "its backends do not know");
            scene.start();
            endLease(scene);

            Scene.until(
                    "five others are waiting",
                    () -> functions.waiting().size() == HELD.length
                            && functions.waiting().stream().noneMatch(old::contains));
            assertEquals(
                    List.of(),
                    functions.list("SELECT pid FROM pg_stat_activity WHERE pid IN (" + String.join(",", old) + ")"));
            assertEquals(List.of(), receiver.calls);
            functions.openTheGate();
            functions.await(job, "completed");
            assertEquals(JobFunctions.times(1, 2, HELD), functions.begun());
            assertEquals(JobFunctions.times(1, 1), functions.committed());
            assertEquals("" + JobFunctions.COUNT, scene.one("SELECT count(*) FROM ran"));
            assertEquals("1", scene.one("SELECT deaths FROM background_job_status"));
            assertEquals(
                    "" + JobFunctions.COUNT,
                    scene.one("SELECT results ->> 'successful_functions' FROM background_job_status"));
            assertEquals(1, receiver.calls.size());
            assertEquals(
                    JobFunctions.ALL_TAGS, receiver.calls.get(0).tags(), "also what was committed before the death");
        }
    }

    @Test
    void a_job_survives_a_kill_between_the_last_commit_and_the_call() throws Exception {
        try (Scene scene = scene()) {
            JobFunctions functions = new JobFunctions(scene.database::connect);
            FreshetProcess victim = scene.start();
            String job;
            try (Hold hold = new Hold(
                    scene.database,
                    "UPDATE",
                    "public.background_job_status",
                    "NEW.results ->> 'successful_functions' = '" + JobFunctions.COUNT + "'")) {
                job = functions.queue();
                hold.awaitReached();
                victim.kill9();
            }
            assertEquals(List.of(), receiver.calls);
            assertEquals(JobFunctions.times(1, 1), functions.committed());
            scene.start();
            endLease(scene);
            functions.await(job, "completed");
            assertEquals(JobFunctions.times(1, 1), functions.begun());
            assertEquals(
                    List.of(JobFunctions.ALL_TAGS),
                    receiver.calls.stream().map(JsonReceiver.Got::tags).toList());
        }
    }

    @Test
    void a_job_survives_a_stop_while_five_functions_run_and_the_others_have_committed() throws Exception {
        try (Scene scene = scene()) {
            JobFunctions functions = new JobFunctions(scene.database::connect);
            functions.during(HOLD_FIVE);
            FreshetProcess first = scene.start();
            String job = functions.queue();
            awaitOnlyTheHeld(functions);
            assertEquals(0, first.term(), first.log());
            assertEquals(
                    "queued|0|0|",
                    scene.one("SELECT concat_ws('|', status, deaths, retry_count, coalesce(error_message, '')) FROM"
                            + " background_job_status"),
                    first.log());
            assertEquals(List.of(), functions.waiting());
            functions.openTheGate();
            scene.start();
            functions.await(job, "completed");
            assertEquals(JobFunctions.times(1, 2, HELD), functions.begun());
            assertEquals(JobFunctions.times(1, 1), functions.committed());
            assertEquals("0", scene.one("SELECT deaths FROM background_job_status"));
            assertEquals(JobFunctions.ALL_TAGS, List.copyOf(tagsOfAllCalls()));
        }
    }

    @Test
    void two_instances_run_each_function_of_two_hundred_jobs_once() throws Exception {
        try (Scene scene = scene()) {
            JobFunctions functions = new JobFunctions(scene.database::connect);
            functions.during(
                    "IF NOT (SELECT is_open FROM public.gate) THEN " + JobFunctions.WAIT_AT_THE_GATE + " END IF;");
            scene.set("WORKER_ID=one", "FRESHET_STATS_JOBS=2");
            scene.start();
            functions.queue();
            functions.awaitWaiting(JobFunctions.COUNT);
            scene.set("WORKER_ID=other", "FRESHET_STATS_JOBS=3");
            scene.start();
            scene.database.run(
                    "INSERT INTO background_job_status (status) SELECT 'queued' FROM generate_series(1, 199)");
            // the third job, if not the second, belongs to the other instance
            functions.awaitWaiting(3 * JobFunctions.COUNT);
            functions.openTheGate();
            Eventually.is(
                    Duration.ofSeconds(180),
                    () -> completed(functions) == 200,
                    () -> completed(functions) + " of 200 jobs are completed");
            assertEquals(JobFunctions.times(200, 200), functions.begun());
            assertEquals(JobFunctions.times(200, 200), functions.committed());
            assertEquals(
                    200 * JobFunctions.COUNT + "|1|1",
                    scene.one("SELECT concat_ws('|', count(*), min(attempt), max(attempt)) FROM freshet.job_function"
                            + " WHERE status = 'success' AND refreshed"));
            assertEquals(
                    "2|0|0",
                    scene.one("SELECT concat_ws('|', count(DISTINCT worker_id), max(retry_count), max(deaths)) FROM"
                            + " background_job_status"));
            assertEquals(
                    200,
                    receiver.calls.stream()
                            .map(call -> call.body().get("requestId").asText())
                            .distinct()
                            .count());
            assertEquals(200, receiver.calls.size());
        }
    }

    private static int completed(JobFunctions functions) {
        try {
            return Integer.parseInt(
                    functions.one("SELECT count(*) FROM background_job_status WHERE status = 'completed'"));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_restart_of_postgres_in_the_middle_of_a_job_needs_no_intervention() throws Exception {
        int port = freePort();
        Path data = Files.createTempDirectory("freshet-it-stats-postgres-");
        EmbeddedPostgres server = start(data, port);
        try {
            JobFunctions functions = new JobFunctions(() ->
                    DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres"));
            functions.during(HOLD_FIVE);
            try (FreshetProcess freshet = FreshetProcess.start(Map.of(
                    "DATABASE_URL",
                    "postgres://postgres@127.0.0.1:" + port + "/postgres",
                    "CACHE_INVALIDATION_URL",
                    receiver.url,
                    "INTERNAL_API_KEY",
                    "key"))) {
                String job = functions.queue();
                awaitOnlyTheHeld(functions);
                server.close();
                freshet.waitForLog(Pattern.compile("WARN"));
                server = start(data, port);
                functions.openTheGate();
                functions.await(job, "completed");
                assertEquals(JobFunctions.times(1, 1), functions.committed());
                assertEquals(
                        JobFunctions.COUNT + "|1|",
                        functions.one("SELECT concat_ws('|', results ->> 'successful_functions', deaths,"
                                + " coalesce(error_message, '')) FROM background_job_status"));
                assertEquals(JobFunctions.ALL_TAGS, List.copyOf(tagsOfAllCalls()));
                assertTrue(freshet.isAlive());
            }
        } finally {
            server.close();
        }
    }

    private Scene scene() throws Exception {
        return new Scene("CACHE_INVALIDATION_URL=" + receiver.url, "INTERNAL_API_KEY=key");
    }

    private static void awaitOnlyTheHeld(JobFunctions functions) {
        Scene.until(
                "five run and the others have committed",
                () -> functions.committed().equals(JobFunctions.times(1, 0, HELD))
                        && functions.waiting().size() == HELD.length);
    }

    /** As if twenty seconds had passed. */
    private static void endLease(Scene scene) throws SQLException {
        scene.database.run("UPDATE background_job_status SET lease_until = now() WHERE status = 'processing'");
    }

    private TreeSet<String> tagsOfAllCalls() {
        TreeSet<String> tags = new TreeSet<>();
        receiver.calls.forEach(call -> tags.addAll(call.tags()));
        return tags;
    }

    private static EmbeddedPostgres start(Path data, int port) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setPort(port)
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
