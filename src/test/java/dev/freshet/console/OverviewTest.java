package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.RunningRoutes;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the console reports about Freshet itself. */
class OverviewTest {
    private static final String TOO_LONG = "The oldest change has waited for too long";

    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        database.run("INSERT INTO freshet.target (name) VALUES ('tag')");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    /**
     * The age of a change counts from the start of its bucket, so one that is made late in a long bucket is old at
     * once.
     */
    @Test
    void a_change_late_in_its_bucket_is_not_late() throws Exception {
        try (RunningRoutes freshet = new RunningRoutes(
                        database,
                        List.of("audit.camel.yaml", "errors.camel.yaml"),
                        "FRESHET_BUCKET=1m",
                        "FRESHET_DEBOUNCE=5s",
                        "FRESHET_TARGET_TIMEOUT=1s");
                Connection application = database.connect()) {
            TestDatabase.run(
                    application,
                    "INSERT INTO cache_invalidation_queue (tag, time_bucket)"
                            + " VALUES ('a', now() - interval '55 seconds')");
            assertTrue(!says(freshet).contains(TOO_LONG), says(freshet));
            TestDatabase.run(
                    application,
                    "UPDATE cache_invalidation_queue" + " SET time_bucket = now() - interval '75 seconds'");
            Eventually.is(Duration.ofSeconds(20), () -> says(freshet).contains(TOO_LONG), () -> says(freshet));
        }
    }

    @Test
    void the_overview_tells_how_many_functions_a_job_runs() throws Exception {
        List<String> files = List.of(
                "audit.camel.yaml",
                "errors.camel.yaml",
                "stats.camel.yaml",
                "targets/batch.camel.yaml",
                "deliver.camel.yaml");
        try (RunningRoutes freshet = new RunningRoutes(database, files)) {
            assertEquals(
                    JobFunctions.COUNT,
                    freshet.bean(Overview.class).whole().now().statsFunctions());
        }
    }

    /** The page draws an answer with both parts, or with none. */
    @Test
    void an_overview_of_which_one_part_cannot_be_read_contains_neither() throws Exception {
        try (RunningRoutes freshet = new RunningRoutes(database, List.of("audit.camel.yaml", "errors.camel.yaml"))) {
            database.run("ALTER VIEW cache_invalidation_policies RENAME TO not_there");
            OverviewAnswer overview = freshet.bean(Overview.class).whole().now();
            assertEquals(Verdict.Level.down, overview.health().verdict());
            assertNull(overview.surroundings());
            assertNull(overview.work());
        }
    }

    private static String says(RunningRoutes freshet) {
        return freshet.bean(Overview.class).whole().now().health().toString();
    }
}
