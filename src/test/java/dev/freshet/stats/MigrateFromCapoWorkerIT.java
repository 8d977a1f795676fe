package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.Walkthrough;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Follows docs/migrate-from-capo-worker.md as written, there and back: its marked blocks are run in their order,
 * starting from an old worker that dies in a job.
 */
@Timeout(240)
class MigrateFromCapoWorkerIT {
    private static final String DOCUMENT = "docs/migrate-from-capo-worker.md";

    private final JsonReceiver application = new JsonReceiver();
    private TestDatabase database;
    private JobFunctions functions;
    private Walkthrough guide;

    @BeforeEach
    void installOldSystem() throws Exception {
        database = TestDatabase.empty();
        database.run(OLD_TABLE);
        functions = new JobFunctions(database::connect);
        guide = new Walkthrough(DOCUMENT, database);
        database.runAsSuperuser(
                "DO $$ BEGIN IF to_regrole('authenticated') IS NULL THEN CREATE ROLE authenticated LOGIN; END IF; END"
                        + " $$");
    }

    @AfterEach
    void stopEverything() throws Exception {
        application.close();
        database.close();
    }

    @Test
    void a_team_switches_to_freshet_and_back() throws Exception {
        String done = insert("done");
        String left = insert("left");
        String waits = insert("waits");
        OldWorker oldWorker = new OldWorker(database, application.url);
        oldWorker.runUntilEmptyOr(left, 3);
        guide.check("look");
        assertEquals("completed processing queued", statuses(done, left, waits));

        guide.check("queue-left");
        guide.check("check-stopped");
        Map<String, String> environment = guide.environment("start");
        environment.put("DATABASE_URL", database.url());
        environment.put("NEXT_PUBLIC_APP_URL", application.url);
        try (FreshetProcess freshet = FreshetProcess.start(environment)) {
            guide.curl(freshet, environment, "check-answers");
            guide.check("check-start");
            assertEquals("completed completed completed", statuses(done, left, waits));
            assertEquals(
                    List.of("old-worker", "job-admin", "job-admin"),
                    application.calls.stream()
                            .map(call -> call.body().get("source").asText())
                            .toList());
            guide.curl(freshet, environment, "try");
            guide.curl(freshet, environment, "try");
            guide.check("check-try");
            assertEquals(
                    "" + JobFunctions.COUNT,
                    database.one("SELECT results ->> 'successful_functions' FROM background_job_status WHERE"
                            + " job_payload ->> 'requestId' = 'freshet-migration-check'"));
            assertEquals(4, application.calls.size());
            assertEquals(
                    "Bearer KEY-OF-THE-OLD-WORKER",
                    application.calls.get(3).headers().get("Authorization").get(0));

            guide.check("readers");
            try (Connection reader = database.connectAs("authenticated")) {
                assertEquals(List.of("4"), TestDatabase.list(reader, "SELECT count(*) FROM background_job_status"));
            }
            guide.check("habits");
            Scene.until(
                    "the completed job runs once more",
                    () -> database.one("SELECT status || retry_count FROM background_job_status WHERE job_payload ->>"
                                    + " 'requestId' = 'freshet-migration-check'")
                            .equals("completed1"));
            assertEquals(5, application.calls.size());
            guide.curl(freshet, environment, "list");

            application.always(500, "");
            functions.await(insert("not-told"), "completed");
            functions.during(JobFunctions.WAIT_AT_THE_GATE);
            String interrupted = insert("interrupted");
            functions.awaitWaiting(JobFunctions.COUNT);
            assertEquals(0, freshet.term(), freshet.log());
            assertEquals("queued", functions.status(interrupted));
        }
        functions.openTheGate();
        application.forget();
        guide.check("check-back");
        guide.check("hand-back");
        oldWorker.runUntilEmptyOr(null, 0);
        assertEquals(List.of("completed"), database.list("SELECT DISTINCT status FROM background_job_status"));
        assertEquals(
                "1",
                database.one("SELECT count(*) FROM background_job_status WHERE job_payload ->> 'requestId' ="
                        + " 'back-from-freshet'"));
        assertEquals(2, application.calls.size());
        guide.check("remove");
        insert("after");
        oldWorker.runUntilEmptyOr(null, 0);
        assertEquals(3, application.calls.size());
        assertEquals(
                List.of(
                        "id",
                        "job_type",
                        "job_payload",
                        "status",
                        "priority",
                        "retry_count",
                        "tenant_id",
                        "error_message",
                        "results",
                        "started_at",
                        "completed_at",
                        "created_at",
                        "updated_at"),
                database.list("SELECT attname FROM pg_attribute WHERE attrelid = 'background_job_status'::regclass"
                        + " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"));
    }

    @Test
    void every_block_of_the_document_is_run() {
        guide.everyBlockIsRunIn(MigrateFromCapoWorkerIT.class);
    }

    private String insert(String request) throws SQLException {
        return database.one(
                "INSERT INTO background_job_status (job_type, job_payload, status) VALUES ('stats_update',"
                        + " jsonb_build_object('triggeredBy', 'admin', 'requestId', ?::text), 'queued') RETURNING id",
                request);
    }

    private String statuses(String... jobs) throws SQLException {
        List<String> statuses = new ArrayList<>();
        for (String job : jobs) {
            statuses.add(functions.status(job));
        }
        return String.join(" ", statuses);
    }

    private static final String OLD_TABLE = """
        CREATE TABLE public.background_job_status (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(), job_type TEXT NOT NULL, job_payload JSONB NOT NULL,
            status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
            priority INTEGER DEFAULT 1,
            retry_count INTEGER DEFAULT 0, tenant_id UUID, error_message TEXT, results JSONB,
            started_at TIMESTAMPTZ, completed_at TIMESTAMPTZ,
            created_at TIMESTAMPTZ DEFAULT clock_timestamp(), updated_at TIMESTAMPTZ DEFAULT NOW());
        """;

    /**
     * Reads a job and marks it in two steps, calls one function after the other, and then calls the application once.
     */
    private record OldWorker(TestDatabase database, String url) {
        /** @param victim the job in which it dies after this many functions; null: none */
        void runUntilEmptyOr(String victim, int functions) throws Exception {
            for (List<String> next = next(); !next.isEmpty(); next = next()) {
                String job = next.get(0);
                database.run("UPDATE background_job_status SET status = 'processing', started_at = now(), updated_at ="
                        + " now() WHERE id = '"
                        + job + "'");
                for (String function :
                        job.equals(victim) ? JobFunctions.NAMES.subList(0, functions) : JobFunctions.NAMES) {
                    database.run("SELECT public." + function + "()");
                }
                if (job.equals(victim)) {
                    return;
                }
                HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create(url + "/api/internal/cache/invalidate"))
                                        .POST(BodyPublishers.ofString(
                                                "{\"tags\":[\"" + String.join("\",\"", JobFunctions.ALL_TAGS)
                                                        + "\"],\"source\":\"old-worker\"}"))
                                        .build(),
                                BodyHandlers.discarding());
                database.run("UPDATE background_job_status SET status = 'completed', completed_at = now(), updated_at ="
                        + " now() WHERE id = '"
                        + job + "'");
            }
        }

        private List<String> next() throws SQLException {
            return database.list(
                    "SELECT id FROM background_job_status WHERE status = 'queued' ORDER BY priority DESC, created_at"
                            + " LIMIT 1");
        }
    }
}
