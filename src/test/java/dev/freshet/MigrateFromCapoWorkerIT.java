package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** docs/migrate-from-capo-worker.md, as written, there and back: its marked blocks are run in their order, from an old worker that dies in a job. */
@Timeout(240)
class MigrateFromCapoWorkerIT {
    private static final Path DOCUMENT = Path.of("docs/migrate-from-capo-worker.md");
    private static final Pattern BLOCK = Pattern.compile("<!-- run: (\\S+) -->\\s*```(?:sql|sh)\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern EXPECTED_ROW = Pattern.compile("(.*?);\\s*-- expect: ([^\\n]*)", Pattern.DOTALL);
    private static final Pattern CURL = Pattern.compile("(curl [^\\n]*)\\n# expect: ([^\\n]*)");
    private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");
    private static final Pattern EXPORT = Pattern.compile("export (\\w+)='([^']*)'");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final JsonReceiver application = new JsonReceiver();
    private TestDatabase database;
    private TenFunctions functions;
    private Map<String, String> blocks;

    @BeforeEach
    void theOldSystem() throws Exception {
        database = TestDatabase.empty();
        database.run(OLD_TABLE);
        functions = new TenFunctions(database::connect);
        blocks = blocks();
        database.runAsSuperuser("DO $$ BEGIN IF to_regrole('authenticated') IS NULL THEN CREATE ROLE authenticated LOGIN; END IF; END $$");
    }

    @AfterEach
    void everythingStops() throws Exception {
        application.close();
        database.close();
    }

    @Test
    void a_team_goes_over_to_freshet_and_back() throws Exception {
        String done = insert("done");
        String left = insert("left");
        String waits = insert("waits");
        OldWorker oldWorker = new OldWorker(database, application.url);
        oldWorker.runUntilEmptyOr(left, 3);
        check("look");
        assertEquals("completed processing queued", statuses(done, left, waits));

        check("queue-left");
        check("check-stopped");
        Map<String, String> environment = environment(block("start"));
        environment.put("DATABASE_URL", database.url());
        environment.put("NEXT_PUBLIC_APP_URL", application.url);
        try (FreshetProcess freshet = FreshetProcess.start(environment)) {
            curl(freshet, environment, "check-answers");
            check("check-start");
            assertEquals("completed completed completed", statuses(done, left, waits));
            assertEquals(List.of("old-worker", "job-admin", "job-admin"), application.calls.stream().map(call -> call.body().get("source").asText()).toList());
            curl(freshet, environment, "try");
            curl(freshet, environment, "try");
            check("check-try");
            assertEquals(4, application.calls.size());
            assertEquals("Bearer KEY-OF-THE-OLD-WORKER", application.calls.get(3).headers().get("Authorization").get(0));

            check("readers");
            try (Connection reader = database.connectAs("authenticated")) {
                assertEquals(List.of("4"), TestDatabase.list(reader, "SELECT count(*) FROM background_job_status"));
            }
            check("habits");
            Scene.until("the completed job runs once more", () -> database.one(
                    "SELECT status || retry_count FROM background_job_status WHERE job_payload ->> 'requestId' = 'freshet-migration-check'").equals("completed1"));
            assertEquals(5, application.calls.size());
            curl(freshet, environment, "list");

            application.always(500, "");
            functions.await(insert("not-told"), "completed");
            functions.during(TenFunctions.WAIT_AT_THE_GATE);
            String interrupted = insert("interrupted");
            functions.awaitWaiting(10);
            assertEquals(0, freshet.term(), freshet.log());
            assertEquals("queued", functions.status(interrupted));
        }
        functions.openTheGate();
        application.forget();
        check("check-back");
        check("hand-back");
        oldWorker.runUntilEmptyOr(null, 0);
        assertEquals(List.of("completed"), database.list("SELECT DISTINCT status FROM background_job_status"));
        assertEquals("1", database.one("SELECT count(*) FROM background_job_status WHERE job_payload ->> 'requestId' = 'back-from-freshet'"));
        assertEquals(2, application.calls.size());
        check("remove");
        insert("after");
        oldWorker.runUntilEmptyOr(null, 0);
        assertEquals(3, application.calls.size());
        assertEquals(List.of("id", "job_type", "job_payload", "status", "priority", "retry_count", "tenant_id", "error_message", "results", "started_at", "completed_at",
                "created_at", "updated_at"), database.list("SELECT attname FROM pg_attribute WHERE attrelid = 'background_job_status'::regclass"
                + " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"));
    }

    @Test
    void every_block_of_the_document_is_run_here() throws IOException {
        assertEquals(Files.readString(DOCUMENT).split("<!-- run:", -1).length - 1, blocks.size());
        String here = Files.readString(Path.of("src/test/java/dev/freshet/MigrateFromCapoWorkerIT.java"));
        blocks.keySet().forEach(name -> assertTrue(here.contains("\"" + name + "\")"), name));
    }

    private String insert(String request) throws SQLException {
        return database.one("INSERT INTO background_job_status (job_type, job_payload, status) VALUES ('stats_update',"
                + " jsonb_build_object('triggeredBy', 'admin', 'requestId', ?::text), 'queued') RETURNING id", request);
    }

    private String statuses(String... jobs) throws SQLException {
        List<String> statuses = new ArrayList<>();
        for (String job : jobs) {
            statuses.add(functions.status(job));
        }
        return String.join(" ", statuses);
    }

    /** Every statement runs, and what follows "-- expect:" is seen in its first row. */
    private void check(String name) throws SQLException {
        database.run(block(name));
        Matcher expectation = EXPECTED_ROW.matcher(block(name));
        while (expectation.find()) {
            String sql = expectation.group(1).substring(expectation.group(1).lastIndexOf(";\n\n") + 1);
            String expected = expectation.group(2).strip();
            Eventually.is(PATIENCE, () -> firstRow(sql).equals(expected), () -> name + ": " + expected + " expected, but: " + firstRow(sql));
        }
    }

    private String firstRow(String sql) {
        try (Connection c = database.connect(); Statement s = c.createStatement(); ResultSet row = s.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            if (row.next()) {
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                    values.add(row.getString(i) == null ? "" : row.getString(i));
                }
            }
            return String.join(" | ", values);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** As much of curl as the document uses, so that a machine without it runs this test. */
    private void curl(FreshetProcess freshet, Map<String, String> environment, String name) throws IOException, InterruptedException {
        Matcher command = CURL.matcher(block(name));
        assertTrue(command.find(), name);
        List<String> words = WORD.matcher(command.group(1)).results().skip(1)
                .map(word -> word.group(1) != null ? word.group(1) : word.group(2) != null ? expanded(word.group(2), environment) : word.group(3)).collect(Collectors.toList());
        assertTrue(words.remove("-s"), "without a progress bar");
        String method = "GET";
        HttpRequest.Builder request = HttpRequest.newBuilder();
        String body = "";
        for (int i = 0; i < words.size(); i++) {
            switch (words.get(i)) {
                case "-X" -> method = words.get(++i);
                case "-d" -> body = words.get(++i);
                case "-H" -> request.header(words.get(i + 1).split(": ")[0], words.get(++i).split(": ")[1]);
                default -> {
                    assertTrue(words.get(i).startsWith("http://127.0.0.1:4000/"), words.get(i));
                    request.uri(URI.create(words.get(i).replace("http://127.0.0.1:4000", freshet.url())));
                }
            }
        }
        String answer = HttpClient.newHttpClient().send(request.method(method, BodyPublishers.ofString(body)).build(), BodyHandlers.ofString()).body();
        assertTrue(answer.contains(command.group(2).strip()), name + ": " + answer);
    }

    private static String expanded(String text, Map<String, String> environment) {
        return Pattern.compile("\\$(\\w+)").matcher(text).replaceAll(variable -> environment.get(variable.group(1)));
    }

    private static Map<String, String> environment(String block) {
        assertTrue(block.stripTrailing().endsWith("\njava -jar freshet.jar"), block);
        Map<String, String> environment = new LinkedHashMap<>();
        EXPORT.matcher(block).results().forEach(variable -> environment.put(variable.group(1), variable.group(2)));
        return environment;
    }

    private String block(String name) {
        assertTrue(blocks.containsKey(name), name);
        return blocks.get(name);
    }

    private static Map<String, String> blocks() throws IOException {
        Map<String, String> blocks = new LinkedHashMap<>();
        Matcher block = BLOCK.matcher(Files.readString(DOCUMENT));
        while (block.find()) {
            blocks.put(block.group(1), block.group(2));
        }
        return blocks;
    }

    private static final String OLD_TABLE = """
            CREATE TABLE public.background_job_status (
                id UUID PRIMARY KEY DEFAULT gen_random_uuid(), job_type TEXT NOT NULL, job_payload JSONB NOT NULL,
                status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'processing', 'completed', 'failed')), priority INTEGER DEFAULT 1,
                retry_count INTEGER DEFAULT 0, tenant_id UUID, error_message TEXT, results JSONB, started_at TIMESTAMPTZ, completed_at TIMESTAMPTZ,
                created_at TIMESTAMPTZ DEFAULT clock_timestamp(), updated_at TIMESTAMPTZ DEFAULT NOW());
            """;

    /** Reads a job and marks it in two steps, calls one function after the other and then the application, once. */
    private record OldWorker(TestDatabase database, String url) {
        /** @param victim the job in which it dies, after so many functions; null: none */
        void runUntilEmptyOr(String victim, int functions) throws Exception {
            for (List<String> next = next(); !next.isEmpty(); next = next()) {
                String job = next.get(0);
                database.run("UPDATE background_job_status SET status = 'processing', started_at = now(), updated_at = now() WHERE id = '" + job + "'");
                for (String function : job.equals(victim) ? TenFunctions.NAMES.subList(0, functions) : TenFunctions.NAMES) {
                    database.run("SELECT public." + function + "()");
                }
                if (job.equals(victim)) {
                    return;
                }
                HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(url + "/api/internal/cache/invalidate")).POST(BodyPublishers.ofString(
                        "{\"tags\":[\"" + String.join("\",\"", TenFunctions.ALL_TAGS) + "\"],\"source\":\"old-worker\"}")).build(), BodyHandlers.discarding());
                database.run("UPDATE background_job_status SET status = 'completed', completed_at = now(), updated_at = now() WHERE id = '" + job + "'");
            }
        }

        private List<String> next() throws SQLException {
            return database.list("SELECT id FROM background_job_status WHERE status = 'queued' ORDER BY priority DESC, created_at LIMIT 1");
        }
    }
}
