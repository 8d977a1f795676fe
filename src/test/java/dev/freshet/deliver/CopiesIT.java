package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An app of several processes: each of them gets every call, and none of them troubles another. */
class CopiesIT {
    private final List<Receiver> copies = new ArrayList<>();
    private Scene scene;

    @BeforeEach
    void open() throws Exception {
        scene = new Scene();
    }

    @AfterEach
    void close() throws Exception {
        copies.forEach(Receiver::close);
        scene.close();
    }

    @Test
    void a_copy_that_hangs_and_then_goes_down_does_not_affect_the_others() throws Exception {
        Receiver one = copy("127.0.0.1", 0);
        Receiver broken = copy("127.0.0.1", 0);
        Receiver three = copy("127.0.0.1", 0);
        CountDownLatch released = new CountDownLatch(1);
        broken.everybody(caller -> {
            await(released);
            Receiver.status(503).give(caller);
        });
        // longer than anybody waits here: a copy that shared the hanging one's connections would not be called in time
        scene.set(
                "VERCEL_DEPLOYMENT_URL=" + String.join(", ", one.url(), broken.url() + "/", three.url()),
                "FRESHET_TARGET_TIMEOUT=100s",
                "FRESHET_LEASE=210s");
        FreshetProcess freshet = scene.start();
        String[] tags = tags("a", 60);
        scene.change(tags);
        for (String tag : tags) {
            one.awaitCalls(tag, 1);
            three.awaitCalls(tag, 1);
        }
        released.countDown();
        Scene.until(
                "its own breaker",
                () -> name(broken)
                        .equals(scene.one(
                                "SELECT string_agg(name, ' ') FROM freshet.target WHERE open_until IS NOT NULL")));
        Scene.until(
                "the others are done",
                () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.delivery WHERE target <> ?", name(broken)));
        Scene.until(
                "health says so", () -> freshet.get("/observe/health").body().contains(name(broken) + ": open for"));
        String health = freshet.get("/observe/health").body();
        assertTrue(health.contains(name(one) + ": closed") && health.contains(name(three) + ": closed"), health);
        scene.change("b");
        one.awaitCalls("b", 1);
        three.awaitCalls("b", 1);
        broken.everybody(null);
        broken.awaitCalls("b", 1);
        for (String tag : tags) {
            Scene.until(tag, () -> broken.calls(tag).stream().anyMatch(Receiver.Call::wentWell));
        }
        scene.awaitProcessed(tags);
        assertEquals(
                60,
                Arrays.stream(tags)
                        .filter(tag ->
                                one.calls(tag).size() == 1 && three.calls(tag).size() == 1)
                        .count());
        Receiver.Call first = one.calls("b").get(0);
        assertEquals("{\"tag\":\"b\"}", first.body());
        assertNotEquals(first.header("webhook-id"), three.calls("b").get(0).header("webhook-id"), "each has its own");
        String metrics = freshet.get("/observe/metrics").body();
        assertTrue(
                metrics.contains("freshet_calls_total{outcome=\"delivered\",target=\"" + name(one) + "\"}"), metrics);
        assertTrue(metrics.contains("freshet_breaker_open{target=\"" + name(three) + "\"} 0"), metrics);
    }

    @Test
    void each_copy_has_its_own_dead_letters_which_the_targets_name_finds_and_replays_too() throws Exception {
        Receiver one = copy("127.0.0.1", 0);
        Receiver refuses = copy("127.0.0.1", 0);
        refuses.always("a", Receiver.status(400));
        scene.set("VERCEL_DEPLOYMENT_URL=" + one.url() + "," + refuses.url());
        FreshetProcess freshet = scene.start();
        scene.change("a");
        one.awaitCalls("a", 1);
        Scene.until("a dead letter", () -> letters(freshet, "").size() == 1);
        assertEquals(
                name(refuses),
                letters(freshet, "?target=tag").get(0).get("target").asText());
        assertEquals(1, letters(freshet, "?target=" + name(refuses)).size());
        assertEquals(0, letters(freshet, "?target=" + name(one)).size());
        refuses.heal("a");
        assertEquals("{\"replayed\":1}", post(freshet, "/api/dead-letters/replay", "{\"target\":\"tag\"}"));
        refuses.awaitCalls("a", 2);
        Scene.until("cleared", () -> letters(freshet, "").isEmpty());
        assertEquals(1, one.calls("a").size());
        String overview = freshet.get("/api/console/overview").body();
        assertTrue(overview.contains("\"name\":\"" + name(refuses) + "\""), overview);
    }

    @Test
    void the_addresses_of_a_name_come_and_go() throws Exception {
        Receiver two = copy("127.0.0.2", 0);
        int port = two.port();
        Receiver three = copy("127.0.0.3", port);
        Path hosts = Files.createTempFile("hosts", "");
        write(hosts, "127.0.0.2 app.test", "127.0.0.3 app.test");
        scene.set(
                "VERCEL_DEPLOYMENT_URL=http://app.test:" + port,
                "FRESHET_TARGET_FANOUT=dns",
                "JAVA_TOOL_OPTIONS=-Djdk.net.hosts.file=" + hosts);
        FreshetProcess freshet = scene.start();
        freshet.waitForLog(Pattern.compile("app.test stands for 127.0.0.2, 127.0.0.3"));
        awaitKnown("127.0.0.2", "127.0.0.3");
        scene.change("a");
        two.awaitCalls("a", 1);
        three.awaitCalls("a", 1);
        assertEquals("app.test:" + port, three.calls("a").get(0).header("host"));
        assertEquals(null, three.calls("a").get(0).header("x-freshet-ip"));

        Receiver four = copy("127.0.0.4", port);
        write(hosts, "127.0.0.2 app.test", "127.0.0.3 app.test", "127.0.0.4 app.test");
        awaitKnown("127.0.0.2", "127.0.0.3", "127.0.0.4");
        scene.change("b");
        for (Receiver each : List.of(two, three, four)) {
            each.awaitCalls("b", 1);
        }
        assertEquals(List.of(), four.calls("a"), "nothing from before");

        three.close();
        write(hosts, "127.0.0.2 app.test", "127.0.0.4 app.test");
        scene.change("c");
        two.awaitCalls("c", 1);
        four.awaitCalls("c", 1);
        Scene.until(
                "missing",
                () -> scene.isTrue("SELECT count(*) = 1 FROM freshet.target WHERE missing_since IS NOT NULL"));
        assertTrue(
                scene.isTrue("SELECT count(*) = 1 FROM freshet.delivery WHERE target LIKE '%127.0.0.3%'"), "a minute");
        scene.database.run("UPDATE freshet.target SET missing_since = missing_since - interval '1 minute'");
        awaitKnown("127.0.0.2", "127.0.0.4");
        scene.awaitProcessed("a", "b", "c");
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.delivery"));
        JsonNode row =
                json(freshet.get("/audit/logs?kind=target").body()).get("logs").get(0);
        assertEquals(
                "tag@app.test=127.0.0.3:" + port + " forgotten",
                row.get("target").asText() + " " + row.get("outcome").asText());

        write(hosts);
        freshet.waitForLog(Pattern.compile("DNS does not say what app.test stands for"));
        scene.change("d");
        two.awaitCalls("d", 1);
        four.awaitCalls("d", 1);
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.target WHERE missing_since IS NOT NULL"));
    }

    @Test
    void two_instances_lose_nothing_when_one_of_them_is_killed_midway() throws Exception {
        for (int i = 0; i < 3; i++) {
            copy("127.0.0.1", 0);
        }
        Receiver.Held[] held =
                IntStream.range(0, 4).mapToObj(i -> new Receiver.Held()).toArray(Receiver.Held[]::new);
        copies.get(1).nextOfAll(held);
        scene.set("VERCEL_DEPLOYMENT_URL="
                + String.join(",", copies.stream().map(Receiver::url).toList()));
        FreshetProcess first = scene.start();
        scene.start();
        String[] tags = tags("t", 200);
        for (String tag : tags) {
            scene.change(tag);
        }
        held[0].awaitBegun();
        first.kill9();
        Arrays.stream(held).forEach(Receiver.Held::release);
        scene.change(tags);
        scene.awaitProcessed(tags);
        Scene.until(
                "nothing owed",
                () -> scene.one("SELECT count(*) FROM freshet.delivery").equals("0"));
        for (Receiver each : copies) {
            assertEquals(
                    200,
                    Arrays.stream(tags)
                            .filter(tag -> each.calls(tag).stream().anyMatch(Receiver.Call::wentWell))
                            .count());
        }
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter"));
    }

    @Test
    void what_one_address_was_owed_is_owed_to_the_list_that_replaces_it() throws Exception {
        scene.receiver.everybody(Receiver.status(503));
        FreshetProcess before = scene.start();
        String[] tags = tags("a", 8);
        scene.change(tags);
        Scene.until("they fail", () -> scene.isTrue("SELECT count(*) = 8 FROM freshet.delivery WHERE attempts > 0"));
        before.term();
        Receiver one = copy("127.0.0.1", 0);
        Receiver two = copy("127.0.0.1", 0);
        scene.set("VERCEL_DEPLOYMENT_URL=" + one.url() + "," + two.url());
        scene.start();
        scene.change("b");
        one.awaitCalls("b", 1);
        scene.database.run("UPDATE freshet.target SET served_at = now() - interval '1 minute' WHERE name = 'tag'");
        for (String tag : tags) {
            one.awaitCalls(tag, 1);
            two.awaitCalls(tag, 1);
        }
        Scene.until(
                "forgotten",
                () -> scene.one("SELECT string_agg(name, ' ' ORDER BY name) FROM freshet.target")
                        .equals(String.join(
                                " ",
                                IntStream.of(one.port(), two.port())
                                        .sorted()
                                        .mapToObj(port -> "tag@127.0.0.1:" + port)
                                        .toList())));
    }

    @Test
    void a_target_in_six_lines_accepts_a_list_too() throws Exception {
        Receiver one = copy("127.0.0.1", 0);
        Receiver two = copy("127.0.0.1", 0);
        Path folder = FreshetProcess.newFolder();
        Files.writeString(
                folder.resolve("routes/targets/pages.camel.yaml"),
                String.join(
                        "\n",
                        "- templatedRoute:",
                        "    routeTemplateRef: freshet-target",
                        "    parameters:",
                        "      - { name: address, value: \"{{env:PAGES}}\" }",
                        "      - { name: path, value: \"/p/{tag}\" }",
                        ""));
        scene.set("PAGES=" + one.url() + "/x," + two.url());
        scene.start(folder);
        scene.change("a");
        one.awaitCalls("a", 1);
        two.awaitCalls("a", 1);
        scene.receiver.awaitCalls("a", 1);
        assertEquals("POST /x/p/a HTTP/1.1", one.calls("a").get(0).request());
        assertEquals("POST /p/a HTTP/1.1", two.calls("a").get(0).request());
        scene.awaitProcessed("a");
        assertEquals(
                List.of("pages@127.0.0.1:" + one.port() + "/x", "tag"),
                scene.database.list(
                        "SELECT name FROM freshet.target WHERE name NOT LIKE ? ORDER BY name", "%:" + two.port()));
    }

    private void awaitKnown(String... ips) {
        Scene.until(
                "addresses " + List.of(ips),
                () -> String.join(" ", ips)
                        .equals(scene.one(
                                "SELECT string_agg(ip, ' ' ORDER BY ip) FROM freshet.target WHERE copy_of = 'tag'")));
    }

    private Receiver copy(String ip, int port) {
        Receiver receiver = new Receiver(ip, port);
        copies.add(receiver);
        return receiver;
    }

    private static String name(Receiver receiver) {
        return "tag@127.0.0.1:" + receiver.port();
    }

    private static String[] tags(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toArray(String[]::new);
    }

    /** Writes the file in one step, since it may be read at any moment. It contains what everybody needs to resolve. */
    private static void write(Path hosts, String... lines) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "127.0.0.1 localhost", "127.0.0.1 " + InetAddress.getLocalHost().getHostName()));
        all.addAll(List.of(lines));
        Path next = Files.write(Files.createTempFile("hosts", ".next"), all);
        Files.move(next, hosts, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static JsonNode letters(FreshetProcess freshet, String query) throws IOException {
        return json(freshet.get("/api/dead-letters" + query).body()).get("dead_letters");
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    private static String post(FreshetProcess freshet, String path, String body) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(freshet.url() + path))
                                .header("content-type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
