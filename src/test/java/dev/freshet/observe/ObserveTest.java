package dev.freshet.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.RunningRoutes;
import dev.freshet.testing.TestDatabase;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What /observe/metrics and /observe/health consist of. */
class ObserveTest {
    private static final List<String> FILES = List.of(
            "targets/tag.camel.yaml",
            "targets/batch.camel.yaml",
            "deliver.camel.yaml",
            "queue.camel.yaml",
            "observe.camel.yaml",
            "errors.camel.yaml",
            "audit.camel.yaml");

    private final JsonReceiver receiver = new JsonReceiver();
    private TestDatabase database;
    private RunningRoutes freshet;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
    }

    @AfterEach
    void close() throws Exception {
        if (freshet != null) {
            freshet.close();
        }
        receiver.close();
        database.close();
    }

    private void start(String... environment) throws Exception {
        freshet = new RunningRoutes(database, FILES, environment);
    }

    @Test
    void calls_changes_and_the_time_between_them_are_counted() throws Exception {
        database.run("CREATE TABLE public.t (id int); SELECT cache_invalidation_watch('t', ARRAY['t:{id}']);"
                + " INSERT INTO freshet.inbox (tag, count) VALUES (NULL, 7);"
                + " INSERT INTO freshet.counter VALUES ('tags_past_queue', 2), ('audit_rows_refused', 3)");
        for (int i = 0; i < 5; i++) {
            database.run("INSERT INTO public.t VALUES (1)");
        }
        receiver.next(500, "{}");
        start("VERCEL_DEPLOYMENT_URL=" + receiver.url, "REVALIDATION_SECRET=shh");
        awaitShown("freshet_calls_total{outcome=\"delivered\",target=\"tag\"} 1.0");
        awaitShown("freshet_calls_total{outcome=\"failed\",target=\"tag\"} 1.0");
        awaitShown("freshet_changes_total 5.0");
        awaitShown("freshet_calls_saved_total 4.0");
        awaitShown("freshet_coalescing_factor 5.0");
        awaitShown("freshet_commit_to_delivered_seconds_count{target=\"tag\"} 1");
        awaitShown("freshet_commit_to_delivered_seconds_bucket{target=\"tag\",le=\"7200.0\"} 1");
        look();
        awaitShown("freshet_tags_skipped_total 7.0");
        awaitShown("freshet_tags_past_queue_total 2.0");
        awaitShown("freshet_audit_rows_refused_total 3.0");
        for (String reason : List.of("empty", "too long", "could not be named")) {
            assertTrue(
                    scrape().lines()
                            .anyMatch(line ->
                                    line.startsWith("# HELP freshet_tags_skipped_total ") && line.contains(reason)),
                    reason);
        }
        awaitShown("freshet_breaker_open{target=\"tag\"} 0.0");
        for (String zero : List.of(
                "freshet_queue_pending_tags",
                "freshet_queue_oldest_seconds",
                "freshet_queue_in_flight",
                "freshet_queue_retrying",
                "freshet_dead_letters")) {
            awaitShown(zero + " 0.0");
        }
    }

    @Test
    void the_time_that_a_change_has_waited_is_measured_by_the_database() throws Exception {
        database.run("INSERT INTO freshet.inbox (tag, changed_at) VALUES ('a', now() - interval '1000 s')");
        start("VERCEL_DEPLOYMENT_URL=" + receiver.url, "REVALIDATION_SECRET=shh");
        awaitShown("freshet_commit_to_delivered_seconds_bucket{target=\"tag\",le=\"300.0\"} 0");
        awaitShown("freshet_commit_to_delivered_seconds_bucket{target=\"tag\",le=\"1800.0\"} 1");
    }

    @Test
    void a_batch_saves_calls_and_may_be_delivered_in_part() throws Exception {
        receiver.next(207, "{\"failed_tags\":[\"c\"]}");
        database.run("SELECT enqueue_cache_invalidation(ARRAY['a', 'b', 'c'])");
        start("CACHE_INVALIDATION_URL=" + receiver.url);
        awaitShown("freshet_calls_total{outcome=\"partial\",target=\"batch\"} 1.0");
        awaitShown("freshet_calls_total{outcome=\"delivered\",target=\"batch\"} 1.0");
        awaitShown("freshet_calls_saved_total 1.0");
        awaitShown("freshet_commit_to_delivered_seconds_count{target=\"batch\"} 3");
    }

    @Test
    void health_reports_the_state_of_the_queue_and_the_targets() throws Exception {
        start();
        look();
        assertEquals(HealthCheck.State.UP, check("database").getState());
        assertEquals("WARN: no target: tags are settled as `no target`", message("targets"));
        database.run("INSERT INTO freshet.target (name, served_at) VALUES ('gone', now() - interval '90 s'), ('fine',"
                + " now()), ('down', now()); UPDATE freshet.target SET open_until = now(), opened_at = now() -"
                + " interval '10 s' WHERE name = 'down'; INSERT INTO freshet.delivery (tag, target, handover,"
                + " changed_at) VALUES ('a', 'gone', 1, now() - interval '1 h')");
        look();
        assertTrue(
                message("targets")
                        .matches("WARN: down: open for 1\\d s; gone: served by no instance for 9\\d s; fine: closed"),
                message("targets"));
        assertEquals("closed", check("targets").getDetails().get("target.fine"));
        assertTrue(
                message("queue")
                        .matches("WARN: the oldest change has waited for long; 1 tags pending, the oldest for"
                                + " 36\\d\\d\\.\\d s; 0 in flight, 0 retrying, 0 dead letters"),
                message("queue"));
        assertEquals(HealthCheck.State.UP, check("queue").getState());
        assertEquals(HealthCheck.State.UP, check("targets").getState());
        awaitShown("freshet_breaker_open{target=\"down\"} 1.0");
        database.run("DELETE FROM freshet.target WHERE name = 'down'");
        look();
        assertFalse(scrape().contains("target=\"down\""));
    }

    @Test
    void without_the_database_freshet_is_alive_but_not_ready() throws Exception {
        freshet = new RunningRoutes(database, List.of("observe.camel.yaml", "errors.camel.yaml"));
        assertTrue(HealthCheckHelper.isResultsUp(HealthCheckHelper.invokeReadiness(freshet.context()), true));
        database.cutOff();
        Eventually.is(
                Duration.ofSeconds(30),
                () -> checks().get("database").getState() == HealthCheck.State.DOWN,
                () -> "down");
        Map<String, HealthCheck.Result> all = checks(); // once: each check waits for a connection
        assertFalse(HealthCheckHelper.isResultsUp(
                all.values().stream()
                        .filter(result -> result.getCheck().isReadiness())
                        .toList(),
                true));
        assertTrue(HealthCheckHelper.isResultsUp(HealthCheckHelper.invokeLiveness(freshet.context()), false));
        assertTrue(all.values().stream().allMatch(result -> result.getError().isEmpty()), all.toString());
        assertEquals(
                "the database does not answer", all.get("database").getMessage().orElse(""));
        database.letIn(); // otherwise each part that ends waits for a connection
    }

    private void look() throws Exception {
        freshet.bean(dev.freshet.observe.Observation.class).look();
    }

    private String message(String check) {
        return check(check).getMessage().orElse("");
    }

    private HealthCheck.Result check(String id) {
        return checks().get(id);
    }

    private Map<String, HealthCheck.Result> checks() {
        return HealthCheckHelper.invoke(freshet.context(), "full").stream()
                .collect(Collectors.toMap(result -> result.getCheck().getId(), result -> result));
    }

    private String scrape() {
        return freshet.context()
                .getRegistry()
                .lookupByNameAndType("metricsRegistry", PrometheusMeterRegistry.class)
                .scrape();
    }

    private void awaitShown(String line) {
        Eventually.is(
                Duration.ofSeconds(20),
                () -> scrape().lines().anyMatch(line::equals),
                () -> line + " in\n"
                        + scrape().lines().filter(l -> l.startsWith("freshet_")).collect(Collectors.joining("\n")));
    }
}
