package dev.freshet.deliver.fence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Asks over HTTP whether a change is delivered: a real transaction, a real target, and two instances. */
@Timeout(300)
class FenceIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Scene scene;
    private static FreshetProcess one;
    private static FreshetProcess other;

    private record Answer(int status, JsonNode body) {}

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "FRESHET_READ_KEY=read-key-4d10",
                "INTERNAL_API_KEY=full-key-51b2",
                "FRESHET_TARGET_TIMEOUT=25s",
                "FRESHET_LEASE=60s");
        one = scene.start();
        other = scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void a_fence_is_fresh_once_the_target_has_answered_whichever_instance_is_asked() throws Exception {
        Receiver.Held call = scene.receiver.hold("page");
        String token = scene.changeWithFence("page");
        call.awaitBegun();
        assertEquals(
                json("{\"fresh\":false,\"outstanding\":1}"), ask(one, token, "").body());
        assertEquals(202, ask(other, token, "&wait=0").status());
        CompletableFuture<Answer> here = askLater(one, token, "&wait=30s");
        CompletableFuture<Answer> there = askLater(other, token, "&wait=20");
        awaitWaiting(one, 1);
        awaitWaiting(other, 1);
        call.release();
        assertEquals(new Answer(200, json("{\"fresh\":true}")), here.join());
        assertEquals(new Answer(200, json("{\"fresh\":true}")), there.join());
        assertEquals(new Answer(200, json("{\"fresh\":true}")), ask(one, token, "&wait=500ms"));
    }

    @Test
    void the_fence_of_an_open_transaction_is_outstanding_and_a_rolled_back_one_is_unknown() throws Exception {
        try (Connection app = scene.database.connect()) {
            app.setAutoCommit(false);
            Scene.enqueue(app, "kept");
            String token = Scene.fence(app);
            Answer open = ask(one, token, "");
            assertEquals(202, open.status());
            assertEquals(json("{\"fresh\":false,\"outstanding\":1,\"transaction\":\"open\"}"), open.body());
            CompletableFuture<Answer> waits = askLater(one, token, "&wait=30s");
            awaitWaiting(one, 1);
            app.commit();
            assertEquals(json("{\"fresh\":true}"), waits.join().body());
            Scene.enqueue(app, "taken back");
            String gone = Scene.fence(app);
            CompletableFuture<Answer> waitsInVain = askLater(other, gone, "&wait=30s");
            awaitWaiting(other, 1);
            app.rollback();
            assertEquals(404, waitsInVain.join().status());
        }
    }

    @Test
    void a_change_that_became_a_dead_letter_is_reported_with_its_error() throws Exception {
        scene.receiver.always("refused", Receiver.status(400));
        String token = scene.changeWithFence("refused", "taken");
        Answer answer = ask(one, token, "&wait=30s");
        assertEquals(200, answer.status());
        assertEquals(false, answer.body().get("fresh").asBoolean());
        assertEquals(1, answer.body().get("given_up").size(), answer.toString());
        JsonNode letter = answer.body().get("given_up").get(0);
        assertEquals(
                "refused at tag",
                letter.get("tag").asText() + " at " + letter.get("target").asText());
        assertTrue(letter.get("error").asText().startsWith("HTTP 400"), letter.toString());
        scene.receiver.heal("refused");
        String id = scene.one("SELECT id FROM freshet.dead_letter WHERE tag = 'refused'");
        assertEquals(
                200,
                new RawHttp(URI.create(one.url()).getPort())
                        .post("/api/dead-letters/" + id + "/replay", "", "x-api-key: full-key-51b2")
                        .status());
        Scene.until("replayed", () -> ask(one, token, "&wait=1s").equals(new Answer(200, json("{\"fresh\":true}"))));
    }

    @Test
    void broken_or_hot_tags_of_others_and_an_own_hot_tag_do_not_hold_up_a_fence() throws Exception {
        scene.receiver.always("broken", Receiver.status(500));
        scene.changeWithFence("broken");
        AtomicBoolean over = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            while (!over.get()) {
                try {
                    scene.change("hot");
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            }
        });
        writer.start();
        try {
            for (int i = 0; i < 20; i++) {
                assertEquals(
                        json("{\"fresh\":true}"),
                        ask(i % 2 == 0 ? one : other, scene.changeWithFence("calm-" + i, "hot"), "&wait=20s")
                                .body());
            }
        } finally {
            over.set(true);
            writer.join();
        }
        scene.receiver.heal("broken");
    }

    @Test
    void unknown_tokens_and_malformed_wait_times_are_refused() throws Exception {
        String token = scene.changeWithFence("known");
        for (String forged : List.of(
                "x",
                "1-0000000000000000-" + "0".repeat(32),
                token + "1",
                token.replace('-', '.'),
                "%00",
                "%F0%9F%90%98",
                "1'%20OR%201=1",
                "a".repeat(3_000),
                "-1",
                token.substring(0, token.length() - 1) + (token.endsWith("0") ? "1" : "0"))) {
            Answer answer = ask(one, forged, "&wait=5s");
            assertEquals(404, answer.status(), forged);
            assertTrue(answer.body().get("error").asText().startsWith("after: "), answer.toString());
        }
        for (String wait : List.of("31", "31s", "30001ms", "-1", "abc", "1h", "1e3", "5s&wait=5s")) {
            Answer answer = ask(one, token, "&wait=" + wait);
            assertEquals(400, answer.status(), wait);
            assertTrue(answer.body().get("error").asText().startsWith("wait: "), answer.toString());
        }
        RawHttp api = new RawHttp(URI.create(one.url()).getPort());
        assertEquals(
                400,
                api.ask("GET /api/fresh?wait=1s", "x-api-key: read-key-4d10").status());
        assertEquals(
                400,
                api.ask("GET /api/fresh?after=" + token + "&after=" + token, "x-api-key: read-key-4d10")
                        .status());
        assertEquals(401, api.ask("GET /api/fresh?after=" + token).status());
        assertEquals(
                405,
                api.send("POST /api/fresh?after=" + token, "", "x-api-key: full-key-51b2")
                        .status());
        assertEquals(
                "no-store",
                api.ask("GET /api/fresh?after=" + token, "x-api-key: read-key-4d10")
                        .header("cache-control"));
    }

    @Test
    void a_thousand_requests_wait_at_once_and_one_that_hangs_up_frees_its_place() throws Exception {
        Receiver.Held call = scene.receiver.hold("thousand");
        String token = scene.changeWithFence("thousand");
        call.awaitBegun();
        List<Socket> hungUp = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Socket socket = new Socket("127.0.0.1", URI.create(one.url()).getPort());
            socket.getOutputStream()
                    .write(("GET /api/fresh?after=" + token
                                    + "&wait=30s HTTP/1.1\r\nHost: localhost\r\nx-api-key: read-key-4d10\r\n\r\n")
                            .getBytes(StandardCharsets.UTF_8));
            hungUp.add(socket);
        }
        awaitWaiting(one, 20);
        for (Socket socket : hungUp) {
            socket.close();
        }
        awaitWaiting(one, 0);
        List<CompletableFuture<Answer>> waiting = Stream.generate(() -> askLater(one, token, "&wait=30s"))
                .limit(1_000)
                .toList();
        awaitWaiting(one, 1_000);
        call.release();
        for (CompletableFuture<Answer> each : waiting) {
            assertEquals(json("{\"fresh\":true}"), each.join().body());
        }
        awaitWaiting(one, 0);
    }

    @Test
    void after_a_kill_a_fence_is_fresh_once_the_successor_has_called() throws Exception {
        try (Scene alone = new Scene("FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s")) {
            FreshetProcess victim = alone.start();
            Receiver.Held call = alone.receiver.hold("killed");
            String token = alone.changeWithFence("killed");
            call.awaitBegun();
            victim.kill9();
            call.release();
            alone.database.run(
                    "UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NOT NULL"); // a minute passes
            Receiver.Held again = alone.receiver.hold("killed");
            FreshetProcess successor = alone.start();
            again.awaitBegun();
            assertEquals(202, ask(successor, token, "&wait=200ms").status());
            again.release();
            assertEquals(
                    json("{\"fresh\":true}"), ask(successor, token, "&wait=30s").body());
        }
    }

    private static Answer ask(FreshetProcess freshet, String token, String more) {
        return askLater(freshet, token, more).join();
    }

    private static CompletableFuture<Answer> askLater(FreshetProcess freshet, String token, String more) {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(freshet.url() + "/api/fresh?after=" + token.replace(" ", "%20") + more))
                .header("x-api-key", "read-key-4d10")
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        return HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(answer -> new Answer(answer.statusCode(), json(answer.body())));
    }

    private static void awaitWaiting(FreshetProcess freshet, int many) {
        Scene.until(many + " wait", () -> {
            String metrics = HTTP.send(
                            HttpRequest.newBuilder(URI.create(freshet.url() + "/observe/metrics"))
                                    .header("x-api-key", "read-key-4d10")
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            return metrics.contains("freshet_fences_waiting " + many + ".0");
        });
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (java.io.IOException e) {
            throw new AssertionError(text, e);
        }
    }
}
