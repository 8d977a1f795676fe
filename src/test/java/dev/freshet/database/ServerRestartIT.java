package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import dev.freshet.testing.Signal;
import dev.freshet.testing.TestDatabase;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** PostgreSQL goes down and comes back under a running Freshet, while a call is being made. */
class ServerRestartIT {
    private static final int TAGS = 400;

    private final int port = freePort();

    @Test
    void a_restart_of_postgres_loses_nothing_and_needs_no_intervention() throws Exception {
        Path data = Files.createTempDirectory("freshet-it-postgres-");
        EmbeddedPostgres server = start(data);
        try (Receiver receiver = new Receiver();
                FreshetProcess freshet = freshet(receiver, "25s", "60s")) {
            Receiver.Held call = receiver.hold("during");
            change("during");
            call.awaitBegun();
            server.close();
            call.release();
            freshet.waitForLog(Pattern.compile("WARN"));
            server = start(data);
            change("after");
            receiver.awaitCalls("after", 1);
            Scene.until(
                    "all is processed",
                    () -> one("SELECT count(*) FROM cache_invalidation_queue WHERE last_invalidated_at IS NOT NULL")
                            .equals("2"));
            assertEquals(1, receiver.calls("during").size(), "its outcome waited for the database");
            assertEquals(0, freshet.term(), freshet.log());
        } finally {
            server.close();
        }
    }

    /** The crash loses what was committed without waiting for the disk: settlements, and nothing else. */
    @Test
    void a_crash_of_postgres_during_delivery_loses_nothing_and_repeats_no_id() throws Exception {
        Path data = Files.createTempDirectory("freshet-it-postgres-");
        EmbeddedPostgres server = start(data);
        try (Receiver receiver = new Receiver();
                FreshetProcess freshet = freshet(receiver)) {
            changeAll();
            Scene.until("some are called", () -> receiver.calls().size() > TAGS / 4);
            crash(data);
            server.close();
            server = start(data);
            Scene.until("all are called", () -> calledTags(receiver) == TAGS);
            Scene.until("all are processed", this::isAllProcessed);
            int before = receiver.calls().size();
            changeAll();
            Scene.until("all are called again", () -> {
                List<Receiver.Call> since = receiver.calls();
                return tagsOf(since.subList(before, since.size())).size() == TAGS;
            });
            List<Receiver.Call> calls = receiver.calls();
            Set<String> ids = calls.subList(0, before).stream()
                    .map(call -> call.header("webhook-id"))
                    .collect(Collectors.toSet());
            assertEquals(
                    List.of(),
                    calls.subList(before, calls.size()).stream()
                            .map(call -> call.header("webhook-id"))
                            .filter(ids::contains)
                            .toList());
            assertEquals("0", one("SELECT count(*) FROM freshet.dead_letter"));
            assertEquals(0, freshet.term(), freshet.log());
        } finally {
            server.close();
        }
    }

    /**
     * Numbers that never reached the disk are assigned again after a crash. A receiver that remembers webhook-ids would
     * take a change with the id of another one for a repetition.
     */
    @Test
    void an_id_used_in_a_call_before_a_crash_of_postgres_is_not_reused_after_it() throws Exception {
        Path data = Files.createTempDirectory("freshet-it-postgres-");
        EmbeddedPostgres server = start(data, "10s");
        try (Receiver receiver = new Receiver();
                FreshetProcess freshet = freshet(receiver)) {
            assertEquals("on", one("SHOW synchronous_commit"));
            change("sentinel");
            receiver.awaitCalls("sentinel", 1);
            Scene.until("all is processed", this::isAllProcessed);
            checkpoint(); // the next number that is drawn is logged again
            Receiver.Held call = receiver.hold("second");
            change("second");
            call.awaitBegun();
            crash(data);
            server.close();
            Signal.STOP.to(freshet.pid());
            server = start(data, "200ms");
            change("first"); // goes first, since the other one's hand-over is undone
            Signal.CONT.to(freshet.pid());
            call.release();
            receiver.awaitCalls("first", 1);
            Scene.until("all is processed", this::isAllProcessed);
            String id = receiver.calls("second").get(0).header("webhook-id");
            assertNotEquals(id, receiver.calls("first").get(0).header("webhook-id"));
            assertEquals(0, freshet.term(), freshet.log());
        } finally {
            server.close();
        }
    }

    private FreshetProcess freshet(Receiver receiver) {
        return freshet(receiver, "2s", "6s");
    }

    private FreshetProcess freshet(Receiver receiver, String timeout, String lease) {
        return FreshetProcess.start(Map.of(
                "DATABASE_URL",
                "postgres://postgres@127.0.0.1:" + port + "/postgres",
                "VERCEL_DEPLOYMENT_URL",
                receiver.url(),
                "REVALIDATION_SECRET",
                Scene.SECRET,
                "FRESHET_DEBOUNCE",
                "0",
                "FRESHET_QUEUE_POLL",
                "200ms",
                "FRESHET_TARGET_TIMEOUT",
                timeout,
                "FRESHET_LEASE",
                lease));
    }

    private void changeAll() throws SQLException {
        one("SELECT enqueue_cache_invalidation(ARRAY(SELECT 'tag:' || i FROM generate_series(1, " + TAGS + ") i))");
    }

    private static int calledTags(Receiver receiver) {
        return tagsOf(receiver.calls()).size();
    }

    private static Set<String> tagsOf(List<Receiver.Call> calls) {
        return calls.stream().flatMap(call -> call.tags().stream()).collect(Collectors.toSet());
    }

    private boolean isAllProcessed() throws SQLException {
        return one("SELECT count(*) FILTER (WHERE last_invalidated_at IS NULL)"
                        + " + (SELECT count(*) FROM freshet.delivery) FROM cache_invalidation_queue")
                .equals("0");
    }

    /** As after a power cut: whatever is not on the disk is gone. */
    private static void crash(Path data) throws Exception {
        long postmaster = Long.parseLong(
                Files.readAllLines(data.resolve("postmaster.pid")).get(0).strip());
        ProcessHandle server = ProcessHandle.of(postmaster).orElseThrow();
        Signal.QUIT.to(postmaster);
        server.onExit().join();
    }

    private EmbeddedPostgres start(Path data) throws IOException {
        return start(data, "200ms");
    }

    /** @param rest for how long data that need not be on the disk may be missing there */
    private EmbeddedPostgres start(Path data, String rest) throws IOException {
        return EmbeddedPostgres.builder()
                .setServerConfig("synchronous_commit", "on") // as everywhere except in tests
                .setServerConfig("wal_writer_delay", rest)
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setPort(port)
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
    }

    private void change(String tag) throws SQLException {
        one("SELECT enqueue_cache_invalidation('" + tag + "')");
    }

    private String one(String sql) throws SQLException {
        try (Connection connection = connect()) {
            return TestDatabase.list(connection, sql).get(0);
        }
    }

    private void checkpoint() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CHECKPOINT");
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres");
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
