package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a tag to its target, one call per tag: what each kind of answer leads to. */
class DeliverIT {
    private static Scene scene;
    private static RawHttp api;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene();
        api = new RawHttp(java.net.URI.create(scene.start().url()).getPort());
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void a_call_is_what_the_replaced_worker_sent_plus_a_signature() throws Exception {
        scene.changeAndAwait("shape \u00e9\"\\");
        Receiver.Call call = scene.receiver.calls("shape \u00e9\"\\").get(0);
        assertEquals("POST /api/revalidate HTTP/1.1", call.request());
        assertEquals("application/json", call.header("content-type"));
        assertEquals(Scene.SECRET, call.header("x-revalidation-secret"));
        assertEquals(1, call.json().size(), call.body());
        assertEquals(
                "v1," + signature(call, Scene.SECRET.getBytes(StandardCharsets.UTF_8)),
                call.header("webhook-signature"));
        assertTrue(
                call.headers().keySet().stream().noneMatch(name -> name.startsWith("camel")),
                call.headers().toString());
    }

    @Test
    void a_change_during_the_call_gets_a_call_of_its_own() throws SQLException {
        Receiver.Held first = scene.receiver.hold("during");
        scene.change("during");
        first.awaitBegun();
        scene.change("during");
        Scene.until(
                "the second change is owed",
                () -> scene.isTrue("SELECT handover > claimed_handover FROM freshet.delivery WHERE tag = 'during'"));
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls("during").size());
        first.release();
        scene.receiver.awaitCalls("during", 2);
        scene.awaitProcessed("during");
        assertEquals(2, ids("during").stream().distinct().count());
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 408, 425, 429})
    void a_temporary_failure_is_tried_again_under_the_same_id(int status) throws SQLException {
        String tag = "passing-" + status;
        scene.receiver.next(tag, Receiver.status(status), Receiver.status(status), Receiver.status(status));
        scene.change(tag);
        scene.receiver.awaitCalls(tag, 4);
        scene.awaitProcessed(tag);
        awaitSettled(tag);
        assertEquals(1, ids(tag).stream().distinct().count());
        scene.letEverythingPass();
        assertEquals(4, scene.receiver.calls(tag).size());
    }

    @Test
    void a_target_that_does_not_answer_is_called_again() throws SQLException {
        assertArrivesAfterTwoFailures("hangs", Receiver.hang());
    }

    @Test
    void a_reset_connection_is_called_again() throws SQLException {
        assertArrivesAfterTwoFailures("resets", Receiver.reset());
    }

    @Test
    void a_call_whose_answer_drips_ends_at_the_timeout() throws SQLException {
        assertArrivesAfterTwoFailures("drips", Receiver.drip());
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 404, 410, 301, 302, 307})
    void a_permanent_refusal_is_a_dead_letter_after_one_call(int status) throws SQLException {
        String tag = "lasting-" + status;
        scene.receiver.always(tag, Receiver.status(status, "Location: /login"));
        scene.changeAndAwait(tag);
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls(tag).size());
        assertEquals("tag|1|" + status, deadLetter(tag));
        assertTrue(
                scene.receiver.calls().stream().noneMatch(call -> call.request().contains("/login")));
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void retry_after_in_seconds_is_waited_for(int status) throws SQLException {
        String tag = "seconds-" + status;
        scene.receiver.next(tag, Receiver.status(status, "Retry-After: 3"));
        assertPause(tag, Duration.ofSeconds(3));
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void retry_after_as_a_date_is_waited_for(int status) throws SQLException {
        String tag = "date-" + status;
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(
                ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(600));
        scene.receiver.next(tag, Receiver.status(status, "Retry-After: " + date));
        scene.changeAndAwait(tag);
        awaitOwedIn(tag, 400, 601);
    }

    @Test
    void retry_after_is_honoured_for_ten_minutes_at_most() throws SQLException {
        scene.receiver.next("tomorrow", Receiver.status(503, "Retry-After: 86400"));
        scene.changeAndAwait("tomorrow");
        awaitOwedIn("tomorrow", 500, 601);
    }

    @Test
    void a_later_success_clears_the_dead_letter() throws SQLException {
        scene.receiver.next("cleared", Receiver.status(404));
        scene.changeAndAwait("cleared");
        assertEquals("tag|1|404", deadLetter("cleared"));
        scene.changeAndAwait("cleared");
        assertEquals("", deadLetter("cleared"));
    }

    @Test
    void one_dead_letter_is_replayed_by_its_id() throws SQLException {
        scene.receiver.next("replayed", Receiver.status(410), Receiver.status(410));
        scene.changeAndAwait("replayed");
        String id = api.ask("GET /api/dead-letters?tag=replayed")
                .json()
                .at("/dead_letters/0/id")
                .asText();
        assertEquals(
                "{\"replayed\":1}",
                api.post("/api/dead-letters/" + id + "/replay", "").body());
        scene.receiver.awaitCalls("replayed", 2);
        awaitSettled("replayed");
        assertEquals("tag|2|410", deadLetter("replayed"), "one that fails again loses nothing");
        assertEquals(200, api.post("/api/dead-letters/" + id + "/replay", "").status());
        scene.receiver.awaitCalls("replayed", 3);
        awaitSettled("replayed");
        assertEquals("", deadLetter("replayed"));
        assertEquals(404, api.post("/api/dead-letters/" + id + "/replay", "").status());
        assertEquals(3, ids("replayed").stream().distinct().count());
    }

    @Test
    void matching_dead_letters_are_replayed_and_no_others() throws SQLException {
        for (String tag : List.of("match-a", "match-b", "other")) {
            scene.receiver.next(tag, Receiver.status(tag.equals("other") ? 404 : 451));
            scene.changeAndAwait(tag);
        }
        assertEquals("{\"replayed\":0}", replay("{\"error\":\"no such error\"}"));
        assertEquals("{\"replayed\":0}", replay("{\"error\":\"451\",\"target\":\"unknown\"}"));
        assertEquals("{\"replayed\":2}", replay("{\"error\":\"http 451\",\"target\":\"tag\"}"));
        scene.receiver.awaitCalls("match-a", 2);
        scene.receiver.awaitCalls("match-b", 2);
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls("other").size());
        assertEquals("tag|1|404", deadLetter("other"));
        assertEquals("{\"replayed\":1}", replay("{\"tag\":\"other\"}"));
        scene.receiver.awaitCalls("other", 2);
        assertEquals(
                400,
                api.post("/api/dead-letters/replay", "{\"tags\":\"other\"}", "Content-Type: application/json")
                        .status());
    }

    @Test
    void dead_letters_are_listed_searched_and_paged() throws SQLException {
        for (int i = 0; i < 3; i++) {
            scene.receiver.next("listed-" + i, Receiver.status(418));
            scene.changeAndAwait("listed-" + i);
        }
        var found = api.ask("GET /api/dead-letters?error=HTTP%20418&limit=2").json();
        assertEquals(3, found.get("total_count").asInt());
        assertTrue(found.get("has_more").asBoolean());
        assertEquals(List.of("listed-2", "listed-1"), found.get("dead_letters").findValuesAsText("tag"));
        var rest = api.ask("GET /api/dead-letters?error=HTTP%20418&limit=2&offset=2")
                .json();
        assertEquals(List.of("listed-0"), rest.get("dead_letters").findValuesAsText("tag"));
        assertTrue(!rest.get("has_more").asBoolean());
        var letter = rest.at("/dead_letters/0");
        assertEquals(418, letter.get("last_status").asInt());
        assertEquals(1, letter.get("attempts").asInt());
        assertTrue(letter.get("first_failed_at").asText().endsWith("Z"), letter.toString());
    }

    private static void assertArrivesAfterTwoFailures(String tag, Receiver.Answer failure) throws SQLException {
        scene.receiver.next(tag, failure, failure);
        scene.change(tag);
        scene.receiver.awaitCalls(tag, 3);
        awaitSettled(tag);
        assertEquals(1, ids(tag).stream().distinct().count());
        assertEquals("", deadLetter(tag));
        assertTrue(scene.isTrue(
                "SELECT count(*) = 1 FROM public.invalidation_audit WHERE keys = jsonb_build_array(?::text) AND"
                        + " outcome = 'retry'",
                tag));
    }

    private static void assertPause(String tag, Duration pause) throws SQLException {
        scene.change(tag);
        scene.receiver.awaitCalls(tag, 2);
        awaitSettled(tag);
        List<Receiver.Call> calls = scene.receiver.calls(tag);
        assertEquals(2, calls.size());
        assertTrue(calls.get(1).nanos() - calls.get(0).nanos() >= pause.toNanos());
    }

    private static void awaitOwedIn(String tag, int least, int most) throws SQLException {
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls(tag).size());
        assertTrue(scene.isTrue(
                "SELECT extract(epoch FROM due_at - now()) BETWEEN ? AND ? FROM freshet.delivery WHERE tag = ?",
                least,
                most,
                tag));
    }

    private static void awaitSettled(String tag) {
        Scene.until(
                tag + " settled",
                () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM freshet.delivery WHERE tag = ?)", tag));
    }

    private static String deadLetter(String tag) throws SQLException {
        return scene.one(
                "SELECT coalesce(string_agg(concat_ws('|', target, attempts, last_status), ','), '') FROM"
                        + " freshet.dead_letter WHERE tag = ?",
                tag);
    }

    private static List<String> ids(String tag) {
        return scene.receiver.calls(tag).stream()
                .map(call -> call.header("webhook-id"))
                .toList();
    }

    private static String replay(String filter) {
        return api.post("/api/dead-letters/replay", filter, "Content-Type: application/json")
                .body();
    }

    static String signature(Receiver.Call call, byte[] key) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        String signed = call.header("webhook-id") + "." + call.header("webhook-timestamp") + "." + call.body();
        return Base64.getEncoder().encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    }
}
