package dev.freshet.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.TestDatabase;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * What the README's first screen promises: start it, change a row, watch one call arrive; and what /observe reports
 * meanwhile.
 */
class DemoIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PSQL =
            Pattern.compile("To change something: psql postgres://postgres@(127\\.0\\.0\\.1:\\d+/\\w+)");

    @Test
    void a_changed_row_makes_one_call_to_the_demos_own_receiver() throws Exception {
        Path folder = FreshetProcess.newFolder();
        try (FreshetProcess freshet =
                FreshetProcess.start(folder, Map.of("FRESHET_DEBOUNCE", "1s", "FRESHET_BUCKET", "1d"))) {
            update(freshet, 1);
            awaitFresh(freshet, "course:1");
            JsonNode calls = json(get(freshet, "/demo/api/calls", null));
            assertEquals(1, calls.get("calls").size(), calls.toString());
            assertEquals("[\"course:1\"]", calls.get("calls").get(0).get("tags").toString());
            assertEquals(
                    401,
                    post(freshet, "/demo/api/revalidate", "{\"tag\":\"x\"}").statusCode());
            Eventually.is(
                    Duration.ofSeconds(20),
                    () -> metrics(freshet, null).contains("freshet_queue_pending_tags 0.0")
                            && metrics(freshet, null).contains("freshet_breaker_open{target=\"tag\"}"),
                    () -> metrics(freshet, null));
            String metrics = metrics(freshet, null);
            for (String line : List.of(
                    "freshet_calls_total{outcome=\"delivered\",target=\"tag\"} 1.0",
                    "freshet_changes_total 1.0",
                    "freshet_refusals_total 0.0",
                    "freshet_tags_skipped_total 0.0",
                    "freshet_breaker_open{target=\"tag\"} 0.0",
                    "freshet_commit_to_delivered_seconds_count{target=\"tag\"} 1")) {
                assertTrue(metrics.lines().anyMatch(line::equals), line + " in\n" + metrics);
            }
            JsonNode health = json(get(freshet, "/observe/health", null));
            assertEquals("UP", health.get("status").asText());
            assertTrue(health.toString().contains("tag: closed"), health.toString());
            assertFalse(freshet.log().contains("WARN") || freshet.log().contains("ERROR"), freshet.log());
        }
        try (FreshetProcess again = FreshetProcess.start(folder, Map.of("FRESHET_DEBOUNCE", "0"))) {
            update(again, 2);
            awaitFresh(again, "course:2");
            assertFalse(again.log().contains("course:1 is fresh"), again.log());
            assertFalse(again.log().contains("WARN") || again.log().contains("ERROR"), again.log());
        }
    }

    @Test
    void with_a_key_the_demo_keeps_working_and_only_health_is_public() throws Exception {
        try (FreshetProcess freshet =
                FreshetProcess.start(Map.of("FRESHET_DEBOUNCE", "0", "INTERNAL_API_KEY", "s3cret-key"))) {
            update(freshet, 3);
            awaitFresh(freshet, "course:3");
            assertEquals(401, get(freshet, "/observe/metrics", null).statusCode());
            assertEquals(401, get(freshet, "/demo/api/calls", null).statusCode());
            assertEquals(
                    401,
                    post(freshet, "/demo/api/revalidate", "{\"tag\":\"x\"}").statusCode());
            assertEquals(200, get(freshet, "/demo", null).statusCode());
            assertEquals(200, get(freshet, "/demo/assets/app.js", null).statusCode());
            for (String data :
                    List.of("pages", "live/event/AB3028", "live/event/AB3028/media", "live/event/AB3028-1-4/bids")) {
                assertEquals(401, get(freshet, "/demo/data/" + data, null).statusCode());
                assertEquals(
                        200, get(freshet, "/demo/data/" + data, "s3cret-key").statusCode());
            }
            assertEquals(
                    401,
                    post(freshet, "/demo/actions/vote", "{\"round\":1,\"easel\":4}")
                            .statusCode());
            Eventually.is(
                    Duration.ofSeconds(20),
                    () -> metrics(freshet, "s3cret-key").contains("freshet_calls_total"),
                    () -> metrics(freshet, "s3cret-key"));
            assertEquals(
                    1,
                    json(get(freshet, "/demo/api/calls", "s3cret-key"))
                            .get("calls")
                            .size());
            for (String path : List.of("", "/live", "/ready")) {
                HttpResponse<String> health =
                        get(freshet, "/observe/health" + path + "?exposureLevel=full&data=true&stackTrace=true", null);
                assertEquals(200, health.statusCode(), health.body());
                assertFalse(
                        health.body().matches("(?s).*(s3cret|stacktrace|postgres|jdbc|SELECT|endpoint.uri|4\\.17).*"),
                        health.body());
            }
            assertFalse(freshet.log().contains("s3cret"), freshet.log());
        }
    }

    @Test
    void with_a_target_there_is_no_own_receiver_and_without_the_demo_no_table() throws Exception {
        try (JsonReceiver receiver = new JsonReceiver();
                TestDatabase database = TestDatabase.empty();
                FreshetProcess freshet = FreshetProcess.start(Map.of(
                        "FRESHET_DEBOUNCE",
                        "0",
                        "DATABASE_URL",
                        database.url(),
                        "CACHE_INVALIDATION_URL",
                        receiver.url))) {
            database.run("SELECT enqueue_cache_invalidation('a')");
            Eventually.is(Duration.ofSeconds(20), () -> receiver.calls.size() == 1, () -> "one call");
            assertEquals(List.of("batch"), database.list("SELECT name FROM freshet.target ORDER BY name"));
            assertEquals(List.of(), database.list("SELECT 1 FROM pg_class WHERE relname = 'courses'"));
            for (String path : List.of("/demo", "/demo/assets/app.js", "/demo/api/calls", "/demo/data/pages")) {
                HttpResponse<String> nothing = get(freshet, path, null);
                assertEquals(404, nothing.statusCode(), path);
                assertEquals(
                        "application/problem+json",
                        nothing.headers().firstValue("content-type").orElse(""));
            }
        }
    }

    @Test
    void an_existing_table_of_the_same_name_is_left_alone() throws Exception {
        try (TestDatabase database = TestDatabase.empty()) {
            database.run("CREATE TABLE public.courses (code text)");
            try (FreshetProcess freshet =
                    FreshetProcess.start(Map.of("DATABASE_URL", database.url(), "FRESHET_DEMO", "true"))) {
                assertTrue(freshet.log().contains("leaves the table courses alone"), freshet.log());
                assertEquals(
                        List.of(),
                        database.list("SELECT 1 FROM pg_trigger WHERE tgrelid = 'public.courses'::regclass"));
                assertEquals(409, post(freshet, "/demo/actions/course", "").statusCode());
                assertEquals(409, get(freshet, "/demo/data/pages", null).statusCode());
                assertEquals(
                        200,
                        post(freshet, "/demo/actions/vote", "{\"round\":1,\"easel\":4}")
                                .statusCode());
                for (String wrong :
                        List.of("{}", "{\"round\":\"1\",\"easel\":4}", "[1]", "{\"round\":1.5,\"easel\":4}")) {
                    assertEquals(400, post(freshet, "/demo/actions/vote", wrong).statusCode(), wrong);
                }
                assertEquals(
                        404,
                        post(freshet, "/demo/actions/vote", "{\"round\":1,\"easel\":99}")
                                .statusCode());
                assertEquals(404, post(freshet, "/demo/actions/anything", "{}").statusCode());
                Eventually.is(
                        Duration.ofSeconds(20),
                        () -> names(database).equals(List.of("batch", "tag")),
                        () -> "both targets are the demo's: " + names(database));
            }
        }
    }

    private static List<String> names(TestDatabase database) {
        try {
            return database.list("SELECT name FROM freshet.target ORDER BY name");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void update(FreshetProcess freshet, int id) throws Exception {
        Matcher address = PSQL.matcher(freshet.log());
        assertTrue(address.find(), freshet.log());
        try (Connection connection =
                        DriverManager.getConnection("jdbc:postgresql://" + address.group(1) + "?user=postgres");
                var statement = connection.createStatement()) {
            assertEquals(1, statement.executeUpdate("UPDATE courses SET title = title || '!' WHERE id = " + id));
        }
    }

    private static void awaitFresh(FreshetProcess freshet, String tag) {
        freshet.waitForLog(Pattern.compile("Demo receiver: " + tag + " is fresh again"));
    }

    private static String metrics(FreshetProcess freshet, String key) {
        try {
            return get(freshet, "/observe/metrics", key).body();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static HttpResponse<String> get(FreshetProcess freshet, String path, String key) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(freshet.url() + path));
        return HttpClient.newHttpClient()
                .send((key == null ? request : request.header("x-api-key", key)).build(), BodyHandlers.ofString());
    }

    private static HttpResponse<String> post(FreshetProcess freshet, String path, String body) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(freshet.url() + path))
                                .header("content-type", "application/json")
                                .POST(BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString());
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        assertEquals(200, response.statusCode(), response.body());
        return JSON.readTree(response.body());
    }
}
