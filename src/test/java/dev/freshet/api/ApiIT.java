package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Receiver;
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
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Section 2 over HTTP. Nothing is ripe before tomorrow and nothing is polled, so whatever happens was requested here.
 */
class ApiIT {
    private static final String RUN = "/functions/v1/cache-invalidation-worker";
    private static final List<String> SECRETS = List.of(
            "full-key-51b2",
            "service-key-77aa",
            "read-key-90c1",
            "anon-key-3d3d",
            Scene.SECRET,
            "database-password-8e8e");
    private static final String KEY = "Authorization: Bearer full-key-51b2";
    private static final String JSON = "Content-Type: application/json";
    private static final String NO_SUCH_LETTER = "/api/dead-letters/00000000-0000-0000-0000-000000000000/replay";

    private static Scene scene;
    private static FreshetProcess freshet;
    private static RawHttp api;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "FRESHET_BUCKET=1s",
                "FRESHET_DEBOUNCE=1d",
                "FRESHET_QUEUE_POLL=1h",
                "FRESHET_LOG_LEVEL=TRACE",
                "INTERNAL_API_KEY=full-key-51b2",
                "SUPABASE_SERVICE_ROLE_KEY=service-key-77aa",
                "FRESHET_READ_KEY=read-key-90c1",
                "SUPABASE_ANON_KEY=anon-key-3d3d");
        scene.set("DATABASE_URL=" + scene.database.url().replace("freshet@", "freshet:database-password-8e8e@"));
        freshet = scene.start();
        api = new RawHttp(URI.create(freshet.url()).getPort());
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        scene.database.run(
                "DELETE FROM freshet.inbox; DELETE FROM public.cache_invalidation_queue; DELETE FROM freshet.delivery;"
                        + " DELETE FROM freshet.dead_letter;"
                        + " UPDATE freshet.target SET failing_tags = '{}', open_until ="
                        + " NULL, opened_at = NULL");
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/queue,200,200,403", "GET,/api/dead-letters,200,200,403",
        "POST,/functions/v1/cache-invalidation-worker,200,403,200",
                "POST,/functions/v1/cache-invalidation-worker?force=true,200,403,403",
        "POST,/api/dead-letters/replay,200,403,403",
                "POST,/api/dead-letters/00000000-0000-0000-0000-000000000000/replay,404,403,403"
    })
    void a_key_opens_only_what_it_is_for(String method, String path, int full, int read, int anon) {
        String request = method + ' ' + path;
        assertEquals(401, api.ask(request).status());
        assertEquals(401, api.ask(request, "Authorization: Bearer wrong").status());
        assertEquals(full, api.ask(request, KEY).status());
        assertEquals(full, api.ask(request, "x-api-key: service-key-77aa").status());
        assertEquals(read, api.ask(request, "x-api-key: read-key-90c1").status());
        assertEquals(
                anon, api.ask(request, "Authorization: Bearer anon-key-3d3d").status());
    }

    @Test
    void the_state_of_the_queue_is_counted() throws SQLException {
        scene.change("waits", "waits-too");
        scene.change("waits");
        assertEquals("{\"message\":\"No invalidations pending\",\"processed\":0}", run("").body());
        assertQueue(2, 2, 0, 0, 0);
        assertTrue(queue().get("oldest_seconds").asDouble() >= 0);

        scene.receiver.next("retries", Receiver.status(503, "Retry-After: 600"));
        scene.receiver.next("refused", Receiver.status(404));
        Receiver.Held held = scene.receiver.hold("flies");
        ripe("retries", "refused", "flies");
        CompletableFuture<RawHttp.Answer> running = CompletableFuture.supplyAsync(() -> run(""));
        held.awaitBegun();
        Scene.until(
                "two are settled",
                () -> queue().get("retrying").asInt() == 1
                        && queue().get("dead_letters").asInt() == 1);
        assertQueue(3, 3, 1, 1, 1);
        held.release();
        assertEquals(200, running.join().status());
        assertQueue(2, 2, 0, 1, 1);
    }

    @Test
    void a_manual_run_takes_what_is_ripe_and_a_forced_one_everything() throws SQLException {
        ripe("ripe");
        scene.change("unripe");
        assertEquals(1, run("").json().get("processed").asInt());
        assertEquals(1, scene.receiver.calls("ripe").size());
        assertEquals(List.of(), scene.receiver.calls("unripe"));
        assertEquals(
                "{\"message\":\"No invalidations pending\",\"processed\":0}",
                run("?force=false").body());
        JsonNode forced = run("?force=true").json();
        assertEquals(List.of("processed", "successful", "failed", "errors", "cleanedUp", "timestamp"), names(forced));
        assertEquals(1, forced.get("successful").asInt());
        assertEquals(1, scene.receiver.calls("unripe").size());
    }

    @Test
    void a_manual_run_names_the_tags_that_failed() throws SQLException {
        scene.receiver.next("fails", Receiver.status(404));
        scene.change("fails", "works");
        JsonNode answer = run("?force=true").json();
        assertEquals(2, answer.get("processed").asInt());
        assertEquals(1, answer.get("successful").asInt());
        assertEquals(1, answer.get("failed").asInt());
        assertEquals("[\"fails at tag: HTTP 404\"]", answer.get("errors").toString());
    }

    @Test
    void a_manual_run_answers_once_the_calls_have_been_made() throws SQLException {
        Receiver.Held held = scene.receiver.hold("slow");
        scene.change("slow");
        CompletableFuture<RawHttp.Answer> running = CompletableFuture.supplyAsync(() -> run("?force=true"));
        held.awaitBegun();
        assertEquals(1, queue().get("in_flight").asInt());
        assertFalse(running.isDone());
        held.release();
        assertEquals(1, running.join().json().get("successful").asInt());
    }

    @Test
    void old_processed_rows_are_removed_and_younger_ones_stay() throws SQLException {
        scene.change("old", "young", "old-but-changed");
        run("?force=true");
        scene.database.run(
                "UPDATE public.cache_invalidation_queue SET last_invalidated_at = now() - CASE tag WHEN 'young' THEN"
                        + " interval '59 minutes' ELSE interval '61 minutes' END;"
                        + " UPDATE public.cache_invalidation_queue"
                        + " SET invalidation_count = 9 WHERE tag = 'old-but-changed'");
        scene.change("other");
        assertEquals(1, run("?force=true").json().get("cleanedUp").asInt());
        assertEquals(
                List.of("old-but-changed", "other", "young"),
                scene.database.list("SELECT tag FROM public.cache_invalidation_queue ORDER BY 1"));
    }

    @Test
    void every_event_leaves_its_row_in_the_audit() throws SQLException {
        scene.receiver.next("audited", Receiver.status(500));
        scene.receiver.next("audited-dead", Receiver.status(410));
        scene.change("audited", "audited-dead");
        run("?force=true");
        api.post("/api/dead-letters/replay", "{\"tag\":\"audited-dead\"}", KEY, JSON);
        scene.receiver.awaitCalls("audited-dead", 2);
        awaitAudit(
                "kind = 'request' AND detail LIKE 'cache-invalidation-worker?force=true%' AND triggered_by = 'manual'");
        awaitAudit("kind = 'attempt' AND status = 500 AND keys = '[\"audited\"]'");
        awaitAudit("kind = 'delivery' AND outcome = 'delivered' AND target = 'tag' AND keys = '[\"audited\"]' AND"
                + " latency_ms > 0 AND request_id LIKE 'msg_%'");
        awaitAudit("kind = 'delivery' AND outcome = 'dead' AND status = 410 AND keys = '[\"audited-dead\"]'");
        awaitAudit("kind = 'replay' AND keys = '[\"audited-dead\"]'");
        awaitAudit("kind = 'delivery' AND outcome = 'delivered' AND keys = '[\"audited-dead\"]'");
        // only ten refusals a second leave a row, and other tests may just have caused theirs
        Scene.until("a refusal in the audit", () -> {
            api.post(NO_SUCH_LETTER, "", "x-api-key: read-key-90c1");
            return scene.isTrue(
                    "SELECT EXISTS (SELECT FROM public.invalidation_audit WHERE kind = 'refused' AND status = 403 AND"
                            + " detail LIKE 'POST "
                            + NO_SUCH_LETTER + "%')");
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /api/queue",
                "GET /api/dead-letters",
                "POST " + RUN,
                "POST /api/dead-letters/replay",
                "POST " + NO_SUCH_LETTER
            })
    void hostile_headers_and_parameters_change_nothing(String request) throws SQLException {
        scene.change("never-by-force");
        run("");
        String innocent = stable(api.ask(request, KEY));
        for (String name : List.of(
                "CamelSqlQuery",
                "CamelSqlParameters",
                "CamelHttpUri",
                "CamelHttpPath",
                "CamelHttpMethod",
                "CamelHttpQuery",
                "CamelHttpResponseCode",
                "CamelBeanMethodName",
                "CamelToEndpoint",
                "CamelSplitComplete",
                "camelhttpuri",
                "CAMELHTTPURI")) {
            for (String value : List.of(scene.receiver.url() + "/stolen", "SELECT 'stolen'", "418", "toString")) {
                assertEquals(innocent, stable(api.ask(request, KEY, name + ": " + value)), name);
            }
            String joint = request.contains("?") ? "&" : "?";
            assertEquals(400, api.ask(request + joint + name + "=418", KEY).status(), name);
        }
        assertEquals(
                innocent,
                stable(api.ask(
                        request,
                        KEY,
                        "force: true",
                        "id: 1",
                        "limit: 0",
                        "offset: -1",
                        "target: x",
                        "breadcrumbId: x")));
        assertEquals(List.of(), scene.receiver.calls("never-by-force"));
        assertTrue(scene.receiver.calls().stream()
                .allMatch(call -> call.request().equals("POST /api/revalidate HTTP/1.1")));
    }

    @Test
    void hostile_headers_get_no_further_than_the_api() throws SQLException {
        scene.change("forced");
        String[] hostile = {
            KEY,
            "CamelHttpUri: " + scene.receiver.url() + "/stolen",
            "CamelHttpPath: /stolen",
            "CamelHttpMethod: DELETE",
            "X-Evil: 1"
        };
        assertEquals(200, api.ask("POST " + RUN + "?force=true", hostile).status());
        Receiver.Call call = scene.receiver.calls("forced").get(0);
        assertEquals("POST /api/revalidate HTTP/1.1", call.request());
        assertFalse(
                call.headers()
                        .toString()
                        .toLowerCase(java.util.Locale.ROOT)
                        .matches(".*(camel|evil|api-key|full-key|x-request-id).*"),
                call.headers().toString());
    }

    @Test
    void secrets_reach_no_log_line_audit_row_or_metric() throws SQLException {
        scene.receiver.next("secretive", Receiver.reset(), Receiver.status(401));
        scene.change("secretive");
        run("?force=true");
        api.ask("GET /api/queue?key=read-key-90c1", "Authorization: Bearer guess-0000");
        api.ask("GET /api/queue", "x-api-key: anon-key-3d3d");
        api.post("/api/dead-letters/replay", "{\"tag\":1}", KEY, JSON);
        awaitAudit("kind = 'refused' AND status = 403 AND detail LIKE 'GET /api/queue%'");
        List<String> seen = new ArrayList<>(freshet.log().lines().toList());
        seen.addAll(scene.database.list("SELECT a::text FROM public.invalidation_audit a"));
        seen.addAll(api.ask("GET /observe/metrics", KEY).body().lines().toList());
        seen.addAll(scene.database.list("SELECT l::text FROM freshet.dead_letter l"));
        assertTrue(seen.stream().anyMatch(line -> line.contains("TRACE") || line.contains("DEBUG")));
        for (String secret : SECRETS) {
            assertEquals(
                    List.of(),
                    seen.stream().filter(line -> line.contains(secret)).toList());
        }
        assertEquals(
                List.of(),
                seen.stream().filter(line -> line.contains("guess-0000")).toList());
    }

    @Test
    void wrong_requests_name_what_is_wrong() {
        assertProblem(400, "limit", api.ask("GET /api/dead-letters?limit=0", KEY));
        assertProblem(400, "id", api.ask("POST /api/dead-letters/1/replay", KEY));
        assertProblem(400, "tag", api.post("/api/dead-letters/replay", "{\"tag\":1}", KEY, JSON));
        assertProblem(400, "body", api.post("/api/dead-letters/replay", "[]", KEY, JSON));
        assertProblem(415, "Content-Type", api.post("/api/dead-letters/replay", "{}", KEY, "Content-Type: text/plain"));
        assertEquals(405, api.ask("GET " + RUN, KEY).status());
    }

    private static void assertProblem(int status, String field, RawHttp.Answer answer) {
        assertEquals(status, answer.status());
        assertEquals("application/problem+json", answer.header("content-type"));
        assertTrue(answer.json().get("error").asText().contains(field), answer.body());
    }

    private static void ripe(String... tags) throws SQLException {
        for (String tag : tags) {
            scene.database.run("INSERT INTO public.cache_invalidation_queue (tag, time_bucket) VALUES ('" + tag
                    + "', now() - interval '3 days')");
        }
    }

    private static RawHttp.Answer run(String query) {
        return api.ask("POST " + RUN + query, KEY);
    }

    private static JsonNode queue() {
        return api.ask("GET /api/queue", KEY).json();
    }

    private static void assertQueue(int tags, int rows, int inFlight, int retrying, int deadLetters) {
        JsonNode queue = queue();
        assertEquals(
                List.of(tags, rows, inFlight, retrying, deadLetters),
                java.util.stream.Stream.of("pending_tags", "pending_rows", "in_flight", "retrying", "dead_letters")
                        .map(name -> queue.get(name).asInt())
                        .toList(),
                queue.toString());
    }

    private static String stable(RawHttp.Answer answer) {
        return answer.status() + answer.body().replaceAll("\"oldest_seconds\":[0-9.E]+", "");
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static void awaitAudit(String row) {
        Scene.until(
                "an audit row with " + row,
                () -> scene.isTrue("SELECT count(*) > 0 FROM public.invalidation_audit WHERE " + row));
    }
}
