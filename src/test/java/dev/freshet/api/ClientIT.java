package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The npm package in client/: its own tests, run by Node, some of them against a Freshet, and how Freshet serves the
 * package to pages.
 */
@Timeout(300)
class ClientIT {
    private static final String KEY = "client-key-62d0";
    private static final Path TESTS = Path.of("client/test");
    private static final Path INSTALLED = Path.of("client/node_modules");

    private static Scene scene;
    private static FreshetProcess freshet;
    private static NextApp app;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "INTERNAL_API_KEY=" + KEY, "FRESHET_DEMO=true", "FRESHET_LEASE=30s", "FRESHET_TARGET_TIMEOUT=10s");
        if (hasNode()) {
            app = new NextApp(Scene.SECRET, KEY);
            scene.set(
                    "VERCEL_DEPLOYMENT_URL=" + app.url,
                    "CACHE_INVALIDATION_URL=" + app.url + "/api/internal/cache/invalidate");
        }
        freshet = scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        if (app != null) {
            app.close();
        }
        scene.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"cache", "revalidate", "tags", "live", "fence", "cache-freshet", "live-freshet", "docs-freshet"})
    void the_packages_tests_pass(String name) throws Exception {
        assumeTrue(hasNode(), "node is not installed: the tests of client/ are skipped");
        run(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"react", "types", "format"})
    void the_packages_tests_with_react_typescript_and_prettier_pass(String name) throws Exception {
        assumeTrue(hasNode(), "node is not installed: the tests of client/ are skipped");
        assumeTrue(
                Files.isDirectory(INSTALLED),
                "client/node_modules is absent (npm ci in client/):"
                        + " the tests with React, TypeScript and Prettier are skipped");
        run(name);
    }

    @Test
    void every_test_of_the_package_is_run() throws IOException {
        String here = Files.readString(Path.of("src/test/java/dev/freshet/api/ClientIT.java"));
        try (Stream<Path> files = Files.list(TESTS)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".test.mjs"))
                    .forEach(name -> assertTrue(here.contains('"' + name.replace(".test.mjs", "") + '"'), name));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "index.js,text/javascript",
        "live.js,text/javascript",
        "event-channel.js,text/javascript",
        "react.js,text/javascript",
        "index.d.ts,text/plain",
        "package.json,application/json",
        "README.md,text/markdown"
    })
    void pages_can_import_the_package_from_freshet(String name, String type) throws IOException {
        RawHttp http = new RawHttp(URI.create(freshet.url()).getPort());
        RawHttp.Answer answer = http.ask("GET /client/" + name, "Origin: https://shop.example");
        assertEquals(200, answer.status());
        assertEquals(Files.readString(Path.of("client", name)), answer.body());
        assertEquals(type + "; charset=utf-8", answer.header("content-type"));
        assertEquals("*", answer.header("access-control-allow-origin"));
        assertEquals("no-cache", answer.header("cache-control"));
        String tag = answer.header("etag");
        RawHttp.Answer known = http.ask("GET /client/" + name, "If-None-Match: \"other\", W/" + tag);
        assertEquals(List.of(304, "", tag), List.of(known.status(), known.body(), known.header("etag")));
        assertEquals(
                200, http.ask("GET /client/" + name, "If-None-Match: \"other\"").status());
        RawHttp.Answer head = http.ask("HEAD /client/" + name);
        assertEquals(List.of(200, "", tag), List.of(head.status(), head.body(), head.header("etag")));
        assertEquals(answer.header("content-length"), head.header("content-length"));
    }

    @ParameterizedTest
    @CsvSource({
        "GET /client/absent.js,404",
        "GET /client/package-lock.json,404",
        "GET /client/test/cache.test.mjs,404",
        "GET /client/support.mjs,404",
        "GET /client/INDEX.JS,404",
        "GET /client/..%5capplication.properties,401",
        "POST /client/index.js,401",
        "GET /client/,401",
        "GET /client/../sql/queries/deliver/claim.sql,401"
    })
    void nothing_else_is_served_under_client(String request, int status) {
        RawHttp.Answer answer = new RawHttp(URI.create(freshet.url()).getPort()).ask(request);
        assertEquals(status, answer.status());
        assertEquals("application/problem+json", answer.header("content-type"));
    }

    @Test
    void a_change_reaches_the_apps_handler_by_its_signature_and_is_fresh_at_once() throws Exception {
        assumeTrue(hasNode(), "node is not installed: revalidateHandler is not tried with Freshet's calls");
        scene.change("signed:é");
        Scene.until("the handler has the tag", () -> told("signed:é").size() == 1);
        assertEquals("{\"expire\":0}", told("signed:é").get(0).get("profile").toString());
    }

    @Test
    void only_the_tag_of_a_batch_that_failed_in_the_app_is_sent_again() throws Exception {
        assumeTrue(hasNode(), "node is not installed: revalidateHandler is not tried with Freshet's calls");
        app.fails("honour_roll", true);
        assertEquals(
                200,
                new RawHttp(URI.create(freshet.url()).getPort())
                        .post(
                                "/api/admin/enqueue-stats-job",
                                "{\"triggeredBy\":\"admin\",\"requestId\":\"client-it\"}",
                                "x-api-key: " + KEY,
                                "Content-Type: application/json")
                        .status());
        Scene.until("the app has failed once", () -> told("honour_roll").size() >= 1);
        app.fails("honour_roll", false);
        Scene.until(
                "it was sent again",
                () -> told("honour_roll").stream()
                        .anyMatch(call -> !call.get("failed").asBoolean()));
        Scene.until(
                "nothing is owed any more",
                () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM freshet.delivery) AND NOT EXISTS (SELECT FROM"
                        + " public.background_job_status WHERE status IN ('queued', 'processing'))"));
        for (String tag : JobFunctions.ALL_TAGS) {
            assertEquals(
                    1,
                    told(tag).stream()
                            .filter(call -> !call.get("failed").asBoolean())
                            .count(),
                    tag);
        }
        assertTrue(told("honour_roll").size() > 1);
    }

    private static List<JsonNode> told(String tag) {
        return StreamSupport.stream(app.told().spliterator(), false)
                .filter(call -> call.get("tag").asText().equals(tag))
                .toList();
    }

    @Test
    void the_served_package_is_read_only() {
        RawHttp.Answer answer =
                new RawHttp(URI.create(freshet.url()).getPort()).ask("POST /client/index.js", "x-api-key: " + KEY);
        assertEquals(405, answer.status());
        assertEquals("GET, HEAD", answer.header("allow"));
    }

    private static void run(String name) throws Exception {
        String output = node(
                List.of(
                        "--test",
                        "--test-reporter=tap",
                        TESTS.resolve(name + ".test.mjs").toString()),
                Map.of(
                        "FRESHET_URL",
                        freshet.url(),
                        "INTERNAL_API_KEY",
                        KEY,
                        "NEXT_APP_URL",
                        app.url,
                        "DATABASE_URL",
                        scene.database.url(),
                        "REVALIDATION_SECRET",
                        Scene.SECRET));
        assertTrue(output.contains("\n# fail 0\n") && output.contains("\n# skipped 0\n"), output);
    }

    private static boolean hasNode() {
        try {
            return new ProcessBuilder("node", "--version").start().waitFor() == 0;
        } catch (IOException absent) {
            return false;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String node(List<String> arguments, Map<String, String> environment) throws Exception {
        Path output = Files.createTempFile("freshet-node-", ".log");
        Process node = launch(arguments, environment)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            boolean ended = node.waitFor(240, TimeUnit.SECONDS);
            String said = Files.readString(output);
            assertTrue(ended && node.exitValue() == 0, said);
            return said;
        } finally {
            node.destroyForcibly();
            Files.delete(output);
        }
    }

    private static ProcessBuilder launch(List<String> arguments, Map<String, String> environment) {
        List<String> command = new ArrayList<>(List.of("node"));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        // a variable of this JVM's environment must not direct the tests to another Freshet
        builder.environment()
                .keySet()
                .removeIf(variable ->
                        variable.matches("FRESHET_.*|NODE_.*|INTERNAL_API_KEY|REVALIDATION_SECRET|DATABASE_URL"));
        builder.environment().putAll(environment);
        return builder;
    }

    /** An app with revalidateHandler, which Freshet's targets call. */
    private static final class NextApp implements AutoCloseable {
        final String url;
        private final Process process;

        NextApp(String secret, String key) throws IOException {
            process = launch(
                            List.of(TESTS.resolve("support/next-app.mjs").toString()),
                            Map.of("REVALIDATION_SECRET", secret, "INTERNAL_API_KEY", key))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            url = process.inputReader(StandardCharsets.UTF_8).readLine();
            assertTrue(url != null && url.startsWith("http://"), url);
        }

        JsonNode told() {
            return http().ask("GET /told").json();
        }

        void fails(String tag, boolean fails) {
            assertEquals(
                    200,
                    http().post("/fail", "{\"tag\":\"" + tag + "\",\"fails\":" + fails + "}")
                            .status());
        }

        private RawHttp http() {
            return new RawHttp(URI.create(url).getPort());
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
