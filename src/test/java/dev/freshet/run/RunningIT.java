package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator sees when the packaged jar starts, refuses to start, is stopped and is killed. */
class RunningIT {
    private static final Pattern EMBEDDED = Pattern.compile("postgres://postgres@(127\\.0\\.0\\.1:\\d+/\\w+)");

    @Test
    void a_start_needs_no_settings_and_finally_tells_where_it_listens() {
        try (FreshetProcess freshet = FreshetProcess.start(Map.of())) {
            assertTrue(freshet.url().matches("http://127\\.0\\.0\\.1:[1-9]\\d*"), freshet.url());
            assertEquals(200, freshet.get("/observe/health").statusCode());
            assertTrue(freshet.get("/observe/metrics").body().contains("camel_"));
            assertFalse(freshet.log().contains("ERROR") || freshet.log().contains("WARN"), freshet.log());
            assertEquals(0, freshet.term(), freshet.log());
            assertNothingRunsIn(freshet.folder());
        }
    }

    @Test
    void data_survive_a_restart_and_a_kill_9() throws Exception {
        Path folder = FreshetProcess.newFolder();
        try (FreshetProcess first = FreshetProcess.start(folder, Map.of())) {
            run(first, "CREATE TABLE kept AS SELECT 1 AS n");
        }
        FreshetProcess second = FreshetProcess.start(folder, Map.of());
        run(second, "INSERT INTO kept VALUES (2)");
        second.kill9();
        try (FreshetProcess third = FreshetProcess.start(folder, Map.of())) {
            assertEquals("1,2", run(third, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"));
            assertEquals(0, third.term(), third.log());
        }
        assertNothingRunsIn(folder);
    }

    @Test
    void too_few_connections_for_the_functions_are_refused_with_the_number_needed() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                FreshetProcess freshet = FreshetProcess.launch(
                        FreshetProcess.newFolder(),
                        Map.of("DATABASE_URL", database.url(), "FRESHET_STATS_JOBS", "30"))) {
            assertEquals(2, freshet.exitCode(), freshet.log());
            assertTrue(
                    freshet.log()
                            .contains(30 * JobFunctions.COUNT + 10 + " are needed: " + JobFunctions.COUNT
                                    + " functions side by side for FRESHET_STATS_JOBS=30, and"
                                    + " FRESHET_POOL_SIZE=10"),
                    freshet.log());
            assertFalse(freshet.log().contains("Freshet is listening"), freshet.log());
        }
    }

    @Test
    void a_first_start_killed_halfway_is_no_obstacle() throws Exception {
        Path folder = FreshetProcess.newFolder();
        Path data = Files.createDirectories(folder.resolve(".freshet/postgres"));
        Files.writeString(data.resolve("postgresql.conf"), "");
        Files.writeString(
                data.resolve("postmaster.pid"), ProcessHandle.current().pid() + "\n" + data + "\n0\n1\n");
        FreshetProcess.start(folder, Map.of()).close();
    }

    @Test
    void a_second_freshet_on_the_same_data_is_refused() {
        Path folder = FreshetProcess.newFolder();
        try (FreshetProcess first = FreshetProcess.start(folder, Map.of())) {
            assertRefused(2, "another Freshet (process " + first.pid() + ") is using that folder", folder, Map.of());
            assertEquals(200, first.get("/observe/health").statusCode());
        }
    }

    @Test
    void data_of_another_version_are_refused() throws IOException {
        Path folder = FreshetProcess.newFolder();
        Path data = Files.createDirectories(folder.resolve(".freshet/postgres"));
        Files.writeString(data.resolve("PG_VERSION"), "12\n");
        Files.writeString(data.resolve("freshet-complete"), "");
        assertRefused(2, "its data are PostgreSQL 12's", folder, Map.of());
    }

    @Test
    void a_start_on_a_busy_port_is_refused_and_nothing_is_left_running() throws IOException {
        Path folder = FreshetProcess.newFolder();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());
            assertRefused(1, "Cannot listen on 127.0.0.1:" + port, folder, Map.of("FRESHET_PORT", port));
        }
        assertNothingRunsIn(folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FRESHET_BUCKET=5 parsecs | FRESHET_BUCKET is \"5 parsecs\"",
                "FRESHET_PORT=70000 | FRESHET_PORT is \"70000\"",
                "FRESHET_HOST=0.0.0.0 | INTERNAL_API_KEY",
                "VERCEL_DEPLOYMENT_URL=https://a.example | REVALIDATION_SECRET",
                "SUPABASE_URL=https://abc.supabase.co | SUPABASE_DB_PASSWORD",
                "DATABASE_URL=mysql://ann:s3cret@h/db | DATABASE_URL is not a database's address",
                "FRESHET_DATA_DIR=/proc/nowhere | FRESHET_DATA_DIR is"
            })
    void a_bad_setting_is_reported_in_one_line_with_exit_code_2(String environment, String said) {
        String[] pair = environment.split("=", 2);
        assertRefused(2, said, FreshetProcess.newFolder(), Map.of(pair[0], pair[1]));
    }

    @Test
    void settings_can_be_set_in_the_file_and_an_empty_variable_does_not_count() throws IOException {
        Path folder = FreshetProcess.newFolder();
        Path file = folder.resolve("application.properties");
        Files.writeString(file, Files.readString(file) + "\nfreshet.queue.poll=soon\n");
        assertRefused(2, "FRESHET_QUEUE_POLL is \"soon\"", folder, Map.of("FRESHET_QUEUE_POLL", ""));
    }

    @Test
    void routes_are_taken_from_the_jar_if_there_is_no_folder() throws IOException {
        Path empty = Files.createTempDirectory("freshet-it-");
        FreshetProcess.start(empty, Map.of()).close();
    }

    @Test
    void a_broken_route_file_ends_the_start_instead_of_hanging() throws IOException {
        Path folder = FreshetProcess.newFolder();
        Files.createDirectories(folder.resolve("routes"));
        Files.writeString(
                folder.resolve("routes/broken.yaml"),
                "- route:\n    from:\n      uri: nonsense:here\n      steps: []\n");
        FreshetProcess freshet = FreshetProcess.launch(folder, Map.of());
        assertEquals(1, freshet.exitCode(), freshet.log());
        assertTrue(freshet.log().contains("nonsense"), freshet.log());
        assertFalse(freshet.log().contains("\tat "), freshet.log());
        assertNothingRunsIn(folder);
    }

    private static void assertRefused(int exitCode, String said, Path folder, Map<String, String> environment) {
        FreshetProcess freshet = FreshetProcess.launch(folder, new HashMap<>(environment));
        assertEquals(exitCode, freshet.exitCode(), freshet.log());
        List<String> errors =
                freshet.log().lines().filter(line -> !line.contains(" INFO ")).toList();
        assertEquals(1, errors.size(), freshet.log());
        assertTrue(errors.get(0).contains(said), freshet.log());
        assertFalse(freshet.log().contains("s3cret"), freshet.log());
    }

    private static String run(FreshetProcess freshet, String sql) throws SQLException {
        Matcher address = EMBEDDED.matcher(freshet.log());
        assertTrue(address.find(), freshet.log());
        try (Connection connection =
                        DriverManager.getConnection("jdbc:postgresql://" + address.group(1) + "?user=postgres");
                var statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return null;
            }
            try (ResultSet row = statement.getResultSet()) {
                row.next();
                return row.getString(1);
            }
        }
    }

    private static void assertNothingRunsIn(Path folder) {
        Eventually.is(
                Duration.ofSeconds(20),
                () -> ProcessHandle.allProcesses()
                        .noneMatch(p -> p.info().commandLine().orElse("").contains(folder.toString())),
                () -> "no process in " + folder);
    }
}
