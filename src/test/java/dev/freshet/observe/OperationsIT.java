package dev.freshet.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Compares what docs/ says to operators with the packaged jar. */
class OperationsIT {
    private static final Pattern METRIC = Pattern.compile("\\b(?:freshet|camel|jvm|process|hikaricp)_\\w+");
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void the_dashboard_and_the_alerts_name_existing_metrics() throws Exception {
        Set<String> named = new TreeSet<>();
        for (String file : List.of("docs/grafana-dashboard.json", "docs/prometheus-alerts.yaml")) {
            METRIC.matcher(Files.readString(Path.of(file)))
                    .results()
                    .map(MatchResult::group)
                    .forEach(named::add);
        }
        assertTrue(named.size() > 20, named.toString());
        try (Scene scene = new Scene()) {
            scene.set("FRESHET_REPLICAS=" + scene.database.url()); // the primary itself, which is never behind
            FreshetProcess freshet = scene.start();
            scene.changeAndAwait("measured");
            // some exist only after the first look at the database
            Eventually.is(
                    java.time.Duration.ofSeconds(30),
                    () -> missing(named, freshet).isEmpty(),
                    () -> "not in /observe/metrics: " + missing(named, freshet));
        }
    }

    private static Set<String> missing(Set<String> named, FreshetProcess freshet) {
        Set<String> there = freshet.get("/observe/metrics")
                .body()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split("[{ ]")[0])
                .collect(Collectors.toSet());
        Set<String> missing = new TreeSet<>(named);
        missing.removeAll(there);
        return missing;
    }

    @Test
    void latencies_are_histograms_that_count_from_the_change() throws Exception {
        try (Scene scene = new Scene()) {
            FreshetProcess freshet = scene.start();
            scene.database.run(
                    "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('old', now() - interval '20 minutes')");
            scene.awaitProcessed("old");
            String metrics = freshet.get("/observe/metrics").body();
            assertTrue(metrics.contains("# TYPE freshet_commit_to_delivered_seconds histogram"), metrics);
            assertTrue(
                    metrics.contains("freshet_commit_to_delivered_seconds_bucket{target=\"tag\",le=\"300.0\"} 0"),
                    metrics);
            assertTrue(
                    metrics.contains("freshet_commit_to_delivered_seconds_bucket{target=\"tag\",le=\"1800.0\"} 1"),
                    metrics);
            assertTrue(metrics.contains("# TYPE freshet_live_latency_seconds histogram"), metrics);
            assertTrue(metrics.contains("freshet_job_seconds_bucket{status=\"failed\",le=\"60.0\"} 0"), metrics);
        }
    }

    @Test
    void missing_targets_broken_files_and_a_relay_that_is_held_up_show_in_the_metrics() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                FreshetProcess freshet = FreshetProcess.start(Map.of("DATABASE_URL", database.url()))) {
            awaitShown(freshet, "freshet_targets 0.0");
            awaitShown(freshet, "freshet_routes_broken 0.0");
            awaitShown(freshet, "freshet_live_behind_seconds 0.0");
            Files.writeString(freshet.folder().resolve("routes/new.yaml"), "- route: [");
            awaitShown(freshet, "freshet_routes_broken 1.0");
            try (var holder = database.connect()) {
                holder.setAutoCommit(false);
                TestDatabase.run(holder, "SELECT FROM freshet.live_relay FOR UPDATE");
                database.run("INSERT INTO freshet.live_outbox (type, event_eid, endpoints, changed_at) VALUES"
                        + " ('manual_invalidation', 'E1', '{/x}', now() - interval '1 hour')");
                Scene.until("behind", () -> value(freshet, "freshet_live_behind_seconds") > 3_599);
                holder.rollback();
            }
            awaitShown(freshet, "freshet_live_behind_seconds 0.0");
        }
    }

    private static void awaitShown(FreshetProcess freshet, String line) {
        Scene.until(line, () -> freshet.get("/observe/metrics").body().lines().anyMatch(line::equals));
    }

    private static double value(FreshetProcess freshet, String metric) {
        return freshet.get("/observe/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(metric + " "))
                .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]))
                .findFirst()
                .orElse(Double.NaN);
    }

    @Test
    void the_jar_checks_route_files_without_a_database() throws Exception {
        Path folder = FreshetProcess.newFolder();
        FreshetProcess good = FreshetProcess.launch(
                folder, Map.of("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), "check", "routes/");
        assertEquals(0, good.exitCode(), good.log());
        assertTrue(good.log().matches("\\d+ route files are good\n"), good.log());
        Path file = folder.resolve("routes/queue.camel.yaml");
        Files.writeString(file, Files.readString(file).replace("ref: retention", "ref: retentiom"));
        FreshetProcess bad = FreshetProcess.launch(folder, Map.of(), "check");
        assertEquals(2, bad.exitCode(), bad.log());
        assertTrue(
                bad.log().startsWith("routes/queue.camel.yaml line ")
                        && bad.log().contains("retentiom"),
                bad.log());
        assertFalse(Files.exists(folder.resolve(".freshet")));
    }

    @Test
    void camels_command_line_sees_it_only_if_that_is_set() throws Exception {
        Path home = Files.createTempDirectory("freshet-home-");
        try (Scene scene = new Scene("JAVA_TOOL_OPTIONS=-Duser.home=" + home)) {
            scene.start();
            scene.changeAndAwait("unseen");
            assertFalse(Files.exists(home.resolve(".camel")));
            scene.set("FRESHET_CAMEL_CLI=true");
            Path status = home.resolve(".camel/" + scene.start().pid() + "-status.json");
            Scene.until("it is seen", () -> Files.exists(status) && text(status).contains("\"take-turn\""));
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void the_log_is_json_if_the_environment_or_the_file_says_so() throws Exception {
        try (TestDatabase database = TestDatabase.empty()) {
            assertEquals(
                    Set.of(),
                    linesThatAreNoJson(
                            Map.of("DATABASE_URL", database.url(), "FRESHET_LOG_FORMAT", "json"),
                            FreshetProcess.newFolder()));
            Path folder = FreshetProcess.newFolder();
            Path properties = folder.resolve("application.properties");
            Files.writeString(
                    properties, Files.readString(properties).replace("{{env:FRESHET_LOG_FORMAT:text}}", "json"));
            assertEquals(Set.of(), linesThatAreNoJson(Map.of("DATABASE_URL", database.url()), folder));
        }
    }

    @Test
    void a_change_a_call_and_a_request_are_found_in_the_log_by_their_ids() throws Exception {
        // a first call is slow on a busy machine, and must not end without an answer
        try (Scene scene = new Scene(
                "FRESHET_LOG_FORMAT=json",
                "FRESHET_LOG_LEVEL=DEBUG",
                "FRESHET_TARGET_TIMEOUT=10s",
                "FRESHET_LEASE=30s")) {
            FreshetProcess freshet = scene.start();
            scene.receiver.always("traced", Receiver.status(503));
            scene.change("traced");
            scene.receiver.awaitCalls("traced", 2);
            Scene.until(
                    "its failure is said",
                    () -> event(
                                    freshet,
                                    "call",
                                    scene.receiver.calls("traced").get(0).header("webhook-id"))
                            .isPresent());
            JsonNode failure = event(
                            freshet,
                            "call",
                            scene.receiver.calls("traced").get(0).header("webhook-id"))
                    .orElseThrow();
            assertEquals("WARN", failure.get("log.level").asText());
            assertTrue(
                    failure.get("message").asText().startsWith("tag: HTTP 503 for traced, failed (call "),
                    failure.toString());
            String handover = scene.one("SELECT handover::text FROM freshet.delivery WHERE tag = 'traced'");
            assertEquals(handover, failure.findValue("handover").asText());
            assertEquals(
                    "Handover " + handover + ": [traced]",
                    event(freshet, "handover", handover)
                            .orElseThrow()
                            .get("message")
                            .asText());
            HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(freshet.url() + "/api/queue"))
                                    .header("X-Request-Id", "asked-1")
                                    .build(),
                            BodyHandlers.ofString());
            Scene.until(
                    "the request is said",
                    () -> event(freshet, "request", "asked-1").isPresent());
            assertTrue(event(freshet, "request", "asked-1")
                    .orElseThrow()
                    .get("message")
                    .asText()
                    .startsWith("GET /api/queue answered 200 after "));
        }
    }

    /** The first line in which this field has this value. */
    private static Optional<JsonNode> event(FreshetProcess freshet, String field, String value) {
        return freshet.log()
                .lines()
                .map(OperationsIT::parsed)
                .filter(event -> event.findPath(field).asText().equals(value))
                .findFirst();
    }

    private static JsonNode parsed(String line) {
        try {
            return JSON.readTree(line);
        } catch (java.io.IOException stillBeingWritten) {
            return JSON.createObjectNode();
        }
    }

    private static Set<String> linesThatAreNoJson(Map<String, String> environment, Path folder) {
        FreshetProcess freshet = FreshetProcess.start(folder, environment);
        assertEquals(0, freshet.term(), freshet.log());
        Set<String> others = new TreeSet<>();
        boolean listening = false;
        for (String line : freshet.log().lines().toList()) {
            try {
                JsonNode event = JSON.readTree(line);
                listening |= event.path("message").asText().startsWith("Freshet is listening on ")
                        && event.path("log.level").asText().equals("INFO")
                        && event.path("log.logger").asText().equals("dev.freshet.Freshet")
                        && event.has("@timestamp");
            } catch (java.io.IOException e) {
                others.add(line);
            }
        }
        assertTrue(listening, freshet.log());
        return others;
    }
}
