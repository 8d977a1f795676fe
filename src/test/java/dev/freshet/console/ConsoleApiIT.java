package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the console reads and does, without its page. */
class ConsoleApiIT {
    private static final String KEY = "Authorization: Bearer full-key-51b2";
    private static final String READ_KEY = "Authorization: Bearer read-key-90c1";

    private static Scene scene;
    private static JobFunctions functions;
    private static FreshetProcess freshet;
    private static RawHttp api;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("INTERNAL_API_KEY=full-key-51b2", "FRESHET_READ_KEY=read-key-90c1");
        scene.database.run("CREATE TABLE public.courses (id int PRIMARY KEY, title text, owner text)");
        functions = new JobFunctions(scene.database::connect);
        freshet = scene.start();
        api = new RawHttp(URI.create(freshet.url()).getPort());
        scene.database.run("SELECT cache_invalidation_watch('courses', ARRAY['course:{id}', 'owner:{owner}:courses',"
                + " 'course_list'])");
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @BeforeEach
    void reset() throws Exception {
        scene.receiver.everybody(null);
        scene.database.run(
                "DELETE FROM freshet.inbox; DELETE FROM public.cache_invalidation_queue; DELETE FROM freshet.delivery;"
                        + " DELETE FROM freshet.dead_letter; DELETE FROM public.background_job_status; UPDATE"
                        + " freshet.target SET failing_tags = '{}', open_until = NULL, opened_at = NULL");
        Scene.until("all is fresh", () -> health().get("verdict").asText().equals("fresh"));
    }

    @Test
    void the_verdict_is_fresh_except_while_a_target_fails() throws Exception {
        assertEquals(0, health().get("problems").size());
        Instant before = Instant.now().minusSeconds(5);
        scene.receiver.everybody(Receiver.status(503));
        scene.change("stale-1");
        Scene.until("it is stale", () -> health().get("verdict").asText().equals("stale"));
        JsonNode problem = health().at("/problems/0");
        assertTrue(problem.get("what").asText().startsWith("Target tag"), problem.toString());
        assertTrue(Instant.parse(problem.get("since").asText()).isAfter(before), problem.toString());
        assertEquals(
                "HTTP 503", overview().at("/targets").findValue("last_error").asText());
        scene.receiver.everybody(null);
        Scene.until("it is fresh", () -> health().get("verdict").asText().equals("fresh"));
        assertTrue(Instant.parse(health().get("since").asText()).isAfter(before));
    }

    @Test
    void a_target_that_is_down_is_reported_with_its_start() throws Exception {
        scene.database.run(
                "UPDATE freshet.target SET open_until = now() + interval '1 hour', opened_at = now() - interval '10"
                        + " minutes'");
        Scene.until("it is told", () -> health().get("says").asText().equals("Target tag is down: it is only probed"));
        long minutes = java.time.Duration.between(
                        Instant.parse(health().get("since").asText()), Instant.now())
                .toMinutes();
        assertTrue(minutes >= 9 && minutes <= 11, health().toString());
    }

    @Test
    void dead_letters_and_failed_jobs_need_attention_only() throws Exception {
        scene.receiver.next("gone", Receiver.status(404));
        scene.change("gone");
        scene.database.run(
                "INSERT INTO background_job_status (status, completed_at, error_message) VALUES ('failed', now(),"
                        + " 'x'), ('failed', now(), 'cancelled')");
        Scene.until("both are told", () -> health().get("problems").size() == 2);
        assertEquals("attention", health().get("verdict").asText());
        assertEquals(
                List.of("1 delivery was given up", "1 stats job failed within a day"),
                health().get("problems").findValuesAsText("what").stream()
                        .sorted()
                        .toList());
    }

    @Test
    void the_time_that_changes_took_is_reported() throws Exception {
        scene.changeAndAwait("timed");
        Scene.until("it is counted", () -> overview().at("/freshness/delivered").asLong() > 0);
        JsonNode freshness = overview().get("freshness");
        assertTrue(freshness.get("p50_ms").asLong() <= freshness.get("p99_ms").asLong(), freshness.toString());
        Scene.until(
                "it has a point in the chart",
                () -> overview().get("series").findValuesAsText("delivered").stream()
                        .anyMatch(n -> !n.equals("0")));
        Scene.until(
                "it is hot",
                () -> overview().get("hottest").findValuesAsText("tag").contains("timed"));
        assertEquals(1, overview().get("instances").asInt());
    }

    @Test
    void waiting_fences_are_counted_with_the_oldest() throws Exception {
        Receiver.Held call = scene.receiver.hold("fenced");
        scene.database.run(
                "BEGIN; SELECT enqueue_cache_invalidation('fenced'); SELECT cache_invalidation_fence(); COMMIT");
        call.awaitBegun();
        Scene.until("one waits", () -> overview().at("/fences/waiting").asInt() == 1);
        assertEquals(
                scene.one("SELECT max(asked_at) FROM freshet.fence"),
                scene.one(
                        "SELECT ?::timestamptz",
                        overview().at("/fences/oldest_at").asText()));
        call.release();
        Scene.until("none waits", () -> overview().at("/fences/waiting").asInt() == 0);
        assertTrue(overview().at("/fences/oldest_at").isNull());
    }

    @Test
    void the_stream_sends_changes_without_being_asked() throws Exception {
        try (BufferedReader stream = stream("read-key-90c1")) {
            assertEquals(
                    "{\"may_change\":false",
                    data(stream, "you", you -> true).toString().replaceFirst(",.*", ""));
            assertEquals(
                    "fresh",
                    data(stream, "overview", o -> true).at("/health/verdict").asText());
            scene.receiver.next("given-up", Receiver.status(404));
            scene.change("given-up");
            assertEquals(
                    1,
                    data(stream, "overview", o -> o.at("/dead_letters/count").asInt() == 1)
                            .at("/queue/dead_letters")
                            .asInt());
            String before = overview().at("/jobs/revision").asText();
            scene.database.run("INSERT INTO background_job_status (status) VALUES ('completed')");
            data(stream, "overview", o -> !o.at("/jobs/revision").asText().equals(before));
        }
        try (BufferedReader stream = stream("full-key-51b2")) {
            assertTrue(data(stream, "you", you -> true).get("may_change").asBoolean());
        }
        assertEquals(401, api.ask("GET /api/console/stream").status());
    }

    @Test
    void a_stopped_target_keeps_what_it_is_owed_until_it_is_started() throws Exception {
        JsonNode stopped = post("/api/routes/target-tag/stop");
        assertEquals("stopped", stopped.get("state").asText());
        scene.change("while-stopped");
        Scene.until(
                "it is owed",
                () -> scene.isTrue("SELECT EXISTS (SELECT FROM freshet.delivery WHERE tag = 'while-stopped')"));
        Scene.until("it is told", () -> health().toString().contains("Route target-tag was stopped by hand"));
        assertEquals("stopped", route("target-tag").get("state").asText());
        assertEquals(List.of(), scene.receiver.calls("while-stopped"));
        assertEquals(
                "started", post("/api/routes/target-tag/start").get("state").asText());
        scene.receiver.awaitCalls("while-stopped", 1);
        Scene.until("it is fresh", () -> health().get("verdict").asText().equals("fresh"));
        assertEquals(
                "2",
                scene.one("SELECT count(*) FROM invalidation_audit WHERE kind = 'request' AND detail IN ('stop route"
                        + " target-tag', 'start route target-tag')"));
    }

    @Test
    void a_route_that_stays_busy_is_not_stopped_and_keeps_running() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        String job = functions.queue();
        functions.awaitWaiting(JobFunctions.COUNT);
        RawHttp.Answer answer = api.post("/api/routes/run-job/stop", "", KEY);
        assertEquals(409, answer.status(), answer.body());
        assertTrue(answer.json().get("detail").asText().startsWith("run-job is still busy"), answer.body());
        functions.openTheGate();
        functions.await(job, "completed");
        functions.await(functions.queue(), "completed");
        assertEquals("started", route("run-job").get("state").asText());
    }

    @Test
    void routes_that_the_console_itself_needs_cannot_be_stopped() {
        for (String needed :
                List.of("answer-json", "write-audit", "stop-route", "start-route", "list-routes", "console-overview")) {
            RawHttp.Answer answer = api.post("/api/routes/" + needed + "/stop", "", KEY);
            assertEquals(409, answer.status(), answer.body());
            assertTrue(
                    answer.json().get("detail").asText().startsWith(needed + " is not stopped from here: "),
                    answer.body());
            assertNotNull(route(needed).get("may_not_stop").textValue());
        }
        assertEquals(404, api.post("/api/routes/no-such-route/stop", "", KEY).status());
        assertEquals(404, api.post("/api/routes/no-such-route/start", "", KEY).status());
        assertEquals(403, api.post("/api/routes/target-tag/stop", "", READ_KEY).status());
        assertEquals(401, api.post("/api/routes/target-tag/stop", "").status());
        assertEquals("started", route("target-tag").get("state").asText());
    }

    @Test
    void routes_are_listed_with_their_counts_and_last_failure() throws Exception {
        long before = route("target-tag").get("total").asLong();
        scene.receiver.next("fails-once", Receiver.status(418));
        scene.change("fails-once");
        Scene.until(
                "it has failed",
                () -> route("target-tag").at("/last_failure/why").asText().equals("HTTP 418"));
        JsonNode route = route("target-tag");
        assertTrue(route.get("total").asLong() > before && route.get("failed").asLong() > 0, route.toString());
        assertEquals("routes/targets/tag.camel.yaml", route.get("file").asText());
        assertEquals("off", route("queue-nightly-job").get("state").asText());
        assertFalse(get("/api/routes").toString().contains(Scene.SECRET));
    }

    @Test
    void a_file_that_is_not_in_force_is_reported_with_its_line() throws Exception {
        Path file = freshet.folder().resolve("routes/queue.camel.yaml");
        String good = Files.readString(file);
        try {
            Files.writeString(file, good.replace("ref: turn", "ref: tern"));
            Scene.until(
                    "it is told", () -> get("/api/routes").get("broken_files").size() == 1);
            JsonNode broken = get("/api/routes").at("/broken_files/0");
            assertEquals("routes/queue.camel.yaml", broken.get("file").asText());
            assertTrue(
                    good.lines().toList().get(broken.get("line").asInt() - 1).contains("ref: turn"), broken.toString());
            Scene.until("health knows", () -> health().toString().contains("routes/queue.camel.yaml line"));
        } finally {
            Files.writeString(file, good);
        }
        Scene.until(
                "it is in force", () -> get("/api/routes").get("broken_files").isEmpty());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tag=course:7       | tag   | course:{id}               | course:7",
                "pattern=course:7   | tag   | course:{id}               | course:7",
                "pattern=course:*   | glob  | course:{id}               | course:7 course:8",
                "pattern=*:courses  | glob  | course:{id} owner:{owner}:courses | owner:ann:courses",
                "pattern=*o*        | glob  | course:{id} owner:{owner}:courses course_list | course:7 course:8"
                        + " course_list owner:ann:courses",
                "pattern=^course[:] | regex | course:{id}               | course:7 course:8",
                "tag=100%_\\        | tag   |                           | 100%_\\",
                "pattern=no*such    | glob  |                           | "
            })
    void a_dry_run_finds_what_would_be_invalidated(String asked, String kind, String templates, String tags)
            throws Exception {
        scene.receiver.everybody(Receiver.status(503, "Retry-After: 600"));
        scene.database.run(
                "INSERT INTO courses VALUES (7, 'a', 'ann'), (8, 'b', NULL) ON CONFLICT (id) DO UPDATE SET title ="
                        + " random()::text");
        scene.change("100%_\\");
        Scene.until("all are known", () -> scene.isTrue("SELECT count(*) = 5 FROM cache_invalidation_queue"));
        String[] question = asked.strip().split("=", 2);
        JsonNode answer = get(
                "/api/console/dry-run?" + question[0] + "=" + URLEncoder.encode(question[1], StandardCharsets.UTF_8));
        assertEquals(kind.strip(), answer.get("kind").asText());
        assertEquals(
                words(templates),
                answer.get("watches").findValuesAsText("template").stream()
                        .sorted()
                        .toList());
        List<String> found = new ArrayList<>();
        answer.get("tags").forEach(tag -> found.add(tag.asText()));
        assertEquals(words(tags), found.stream().sorted().toList());
        assertEquals(words(tags).size(), answer.at("/targets/0/calls").asInt());
        assertEquals(
                answer.get("waiting").findValuesAsText("tag").stream()
                        .sorted()
                        .distinct()
                        .toList(),
                words(tags));
        scene.database.run("DELETE FROM courses");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?tag=a&pattern=b", "?pattern=", "?tag=", "?pattern=%28", "?pattern=a%00"})
    void an_empty_or_malformed_dry_run_is_refused(String query) {
        RawHttp.Answer answer = api.ask("GET /api/console/dry-run" + query, KEY);
        assertEquals(400, answer.status(), answer.body());
    }

    @Test
    void a_dry_run_counts_the_entries_of_the_registry() throws Exception {
        scene.database.run(
                "INSERT INTO cache_entries (cache_key, tags, expires_at) VALUES ('page/1', '{course:1,nav}', NULL),"
                        + " ('page/2', '{nav}', now() + interval '1 h'), ('old', '{nav}', now() - interval '1 h')");
        assertEquals(2, get("/api/console/dry-run?tag=nav").at("/entries/count").asInt());
        JsonNode answer = get("/api/console/dry-run?pattern=page/1*");
        assertEquals(1, answer.at("/entries/count").asInt());
        assertEquals("[\"course:1\",\"nav\"]", answer.get("tags").toString());
        assertEquals(
                1,
                get("/api/console/dry-run?pattern=course:*")
                        .at("/entries/count")
                        .asInt());
        assertEquals(
                2,
                get("/api/console/dry-run?pattern=" + URLEncoder.encode("^page/\\d$", StandardCharsets.UTF_8))
                        .at("/entries/count")
                        .asInt());
        assertEquals(
                1,
                get("/api/console/dry-run?pattern=" + URLEncoder.encode("^\\pL+:1$", StandardCharsets.UTF_8))
                        .at("/entries/count")
                        .asInt());
        scene.database.run("DELETE FROM cache_entries");
    }

    @Test
    void the_page_needs_no_key_and_admits_nothing_foreign() {
        RawHttp.Answer page = api.ask("GET /admin/info?view=jobs");
        assertEquals(200, page.status());
        assertTrue(page.body().contains("data-key=\"required\""), page.body());
        assertFalse(page.body().matches("(?s).*<script[^>]*>[^<].*"), "no script stands in the page");
        String policy = page.header("Content-Security-Policy");
        assertTrue(
                policy.startsWith("default-src 'none'; script-src 'self';")
                        && !policy.contains("unsafe")
                        && policy.contains("frame-ancestors 'none'"),
                policy);
        assertEquals("nosniff", page.header("X-Content-Type-Options"));
        RawHttp.Answer script = api.ask("GET /admin/assets/app.js");
        assertEquals("text/javascript; charset=utf-8", script.header("Content-Type"));
        assertEquals("nosniff", script.header("X-Content-Type-Options"));
        assertEquals(
                304,
                api.ask("GET /admin/assets/app.js", "If-None-Match: " + script.header("ETag"))
                        .status());
        assertEquals(200, api.ask("HEAD /admin/info").status());
        for (String other : List.of(
                "none.js", "index.html", "App.js", "..%2Findex.html", "%2e%2e/console/app.js", "app.js.map", "")) {
            assertEquals(
                    true,
                    List.of(401, 404)
                            .contains(api.ask("GET /admin/assets/" + other).status()),
                    other);
        }
        assertNull(api.ask("GET /admin/assets/app.js").header("Set-Cookie"));
    }

    private static List<String> words(String text) {
        return text == null
                ? List.of()
                : List.of(text.strip().split(" ")).stream().sorted().toList();
    }

    private static BufferedReader stream(String key) throws IOException, InterruptedException {
        HttpResponse<java.io.InputStream> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(freshet.url() + "/api/console/stream"))
                                .header("Authorization", "Bearer " + key)
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());
        assertEquals(200, response.statusCode());
        assertEquals(
                "text/event-stream",
                response.headers().firstValue("Content-Type").orElse(""));
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    /** The data of the next event of this name that satisfies the condition. The stream never ends by itself. */
    private static JsonNode data(BufferedReader stream, String event, Predicate<JsonNode> wanted) throws IOException {
        for (String line = stream.readLine(); line != null; line = stream.readLine()) {
            if (line.equals("event: " + event)) {
                JsonNode data = new ObjectMapper().readTree(stream.readLine().substring("data: ".length()));
                if (wanted.test(data)) {
                    return data;
                }
            }
        }
        throw new AssertionError("the stream ended before " + event);
    }

    private static JsonNode get(String path) {
        RawHttp.Answer answer = api.ask("GET " + path, READ_KEY);
        assertEquals(200, answer.status(), answer.body());
        return answer.json();
    }

    private static JsonNode post(String path) {
        RawHttp.Answer answer = api.post(path, "", KEY);
        assertEquals(200, answer.status(), answer.body());
        return answer.json();
    }

    private static JsonNode overview() {
        return get("/api/console/overview");
    }

    private static JsonNode health() {
        return overview().get("health");
    }

    private static JsonNode route(String id) {
        for (JsonNode route : get("/api/routes").get("routes")) {
            if (route.get("id").asText().equals(id)) {
                return route;
            }
        }
        throw new AssertionError("no route " + id);
    }
}
