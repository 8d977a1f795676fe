package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Installed;
import dev.freshet.testing.Refills;
import dev.freshet.testing.Scene;
import dev.freshet.testing.Signal;
import dev.freshet.testing.StreamingServers;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pages are read from a replica that lags: a call begins once the replica has the change, and not before. */
class ReplicasIT {
    private static final String READ_PAGE = "SELECT version FROM page WHERE 'page:' || id = ?";
    private static final int REFILLS = Integer.getInteger("freshet.refills", 1_000);
    private static StreamingServers servers;
    private static StreamingServers.Server replica;
    private static int count;

    private final String database = "it" + ++count;
    private final List<FreshetProcess> processes = new ArrayList<>();
    private Refills refills;

    @BeforeAll
    static void startServers() throws Exception {
        servers = new StreamingServers();
        replica = servers.addReplica();
    }

    @AfterAll
    static void stopServers() {
        servers.close();
    }

    @BeforeEach
    void createDatabase() throws Exception {
        servers.createDatabase(database);
        asApplication(
                "CREATE TABLE page (id integer PRIMARY KEY, version integer NOT NULL DEFAULT 0)",
                "INSERT INTO page SELECT generate_series(1, " + REFILLS + ")");
        servers.awaitReplayed(replica);
        refills = new Refills(replica, database, READ_PAGE);
    }

    @AfterEach
    void stop() throws SQLException {
        refills.close();
        processes.forEach(FreshetProcess::kill9);
        replica.followAtOnce();
    }

    @Test
    void no_page_is_rebuilt_with_the_old_row() throws Exception {
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + replica.url(database), "FRESHET_REPLICA_WAIT=60s");
        watchPages();
        replica.delayReplay("2s");
        changeAll();
        Scene.until("all pages were called", () -> refills.tags() == REFILLS);
        assertEquals(0, refills.count("0"), "built with the old row");
        awaitProcessed();
        assertTrue(refills.count("1") > REFILLS / 2, "the others could not be read at all: " + refills);
        assertFalse(freshet.log().contains("passed over"), freshet.log());
    }

    @Test
    void without_the_setting_pages_are_rebuilt_with_the_old_row() throws Exception {
        start();
        watchPages();
        replica.pauseReplay(); // as with a lag that outlasts all of this
        changeAll();
        Scene.until("all pages were called", () -> refills.tags() == REFILLS);
        assertEquals(REFILLS, refills.count("0"));
    }

    @Test
    void a_replica_that_hangs_is_passed_over_until_it_has_caught_up() throws Exception {
        FreshetProcess freshet = start(
                "FRESHET_REPLICAS=" + replica.url(database) + "," + servers.primary.url(database),
                "FRESHET_REPLICA_WAIT=2s");
        watchPages();
        change(1);
        refills.await("page:1", 1);
        replica.send(Signal.STOP);
        try {
            change(2);
            refills.await("page:2", 1);
            awaitReported(freshet, true);
            assertTrue(
                    freshet.log().contains("Replica " + replica.name(database) + " is passed over: it "),
                    freshet.log());
            change(3);
            refills.await("page:3", 1);
        } finally {
            replica.send(Signal.CONT);
        }
        freshet.waitForLog(Pattern.compile("Replica " + Pattern.quote(replica.name(database)) + " has caught up"));
        awaitReported(freshet, false);
        replica.pauseReplay();
        change(4);
        awaitLeased("page:4");
        replica.resumeReplay();
        refills.await("page:4", 1);
        assertEquals(List.of("1"), refills.of("page:4"));
        assertFalse(freshet.log().contains("pass word"), "no password in the log");
    }

    @Test
    void a_killed_replica_is_passed_over_until_it_is_back() throws Exception {
        FreshetProcess before = start();
        watchPages();
        assertEquals(0, before.term());
        replica.kill9();
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + replica.url(database), "FRESHET_REPLICA_WAIT=1s");
        try {
            change(1);
            refills.await("page:1", 1);
            awaitReported(freshet, true);
        } finally {
            replica.start();
        }
        freshet.waitForLog(Pattern.compile("has caught up"));
        awaitReported(freshet, false);
        change(2);
        refills.await("page:2", 1);
        assertEquals(List.of("1"), refills.of("page:2"));
    }

    @Test
    void a_replica_that_lags_for_too_long_is_passed_over() throws Exception {
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + replica.url(database), "FRESHET_REPLICA_WAIT=1s");
        watchPages();
        replica.pauseReplay();
        change(1);
        refills.await("page:1", 1);
        assertEquals(List.of("0"), refills.of("page:1"), "it was not waited for any longer");
        assertTrue(freshet.log().contains("s behind"), freshet.log());
        awaitReported(freshet, true);
        replica.resumeReplay();
        freshet.waitForLog(Pattern.compile("has caught up"));
    }

    @Test
    void a_waiting_call_survives_a_kill() throws Exception {
        String[] settings = {
            "FRESHET_REPLICAS=" + replica.url(database),
            "FRESHET_REPLICA_WAIT=5s",
            "FRESHET_TARGET_TIMEOUT=500ms",
            "FRESHET_LEASE=3s"
        };
        FreshetProcess freshet = start(settings);
        watchPages();
        replica.pauseReplay();
        change(1);
        awaitLeased("page:1");
        freshet.kill9();
        change(2);
        replica.resumeReplay();
        start(settings);
        refills.await("page:1", 1);
        refills.await("page:2", 1);
        awaitProcessed();
        assertEquals(0, refills.count("0"));
    }

    @Test
    void a_waiting_call_is_handed_back_by_a_stop() throws Exception {
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + replica.url(database), "FRESHET_REPLICA_WAIT=10m");
        watchPages();
        replica.pauseReplay();
        change(1);
        awaitLeased("page:1");
        assertEquals(0, freshet.term(), freshet.log());
        assertEquals("0", one("SELECT count(*) FROM freshet.delivery WHERE lease_id IS NOT NULL"));
        assertEquals(List.of(), refills.of("page:1"));
        replica.resumeReplay();
        start("FRESHET_REPLICAS=" + replica.url(database));
        refills.await("page:1", 1);
        assertEquals(List.of("1"), refills.of("page:1"));
    }

    @Test
    void a_retry_waits_for_the_change_that_has_joined_it() throws Exception {
        servers.primary.run("postgres", "ALTER DATABASE " + database + " SET synchronous_commit = off");
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + replica.url(database), "FRESHET_REPLICA_WAIT=60s");
        watchPages();
        refills.fails(true);
        change(1);
        Scene.until(
                "waits for its retry",
                () -> one("SELECT count(*) FROM freshet.delivery" + " WHERE attempts > 0 AND lease_id IS NULL")
                        .equals("1"));
        replica.pauseReplay();
        change(1);
        awaitLeased("page:1");
        refills.fails(false);
        replica.resumeReplay();
        Scene.until(
                "the change of meanwhile was read", () -> refills.of("page:1").contains("2"));
        awaitProcessed();
        assertFalse(freshet.log().contains("passed over"), freshet.log());
    }

    @Test
    void a_job_refreshes_once_the_replica_has_its_changes() throws Exception {
        asApplication("CREATE FUNCTION update_power_ratings() RETURNS void LANGUAGE sql AS 'UPDATE page SET version = 7"
                + " WHERE id = 9'");
        servers.awaitReplayed(replica);
        try (Refills stats =
                new Refills(replica, database, "SELECT version FROM page WHERE id = 9 AND ? = 'player_power_rating'")) {
            FreshetProcess freshet = start(
                    "FRESHET_REPLICAS=" + replica.url(database),
                    "FRESHET_REPLICA_WAIT=60s",
                    "CACHE_INVALIDATION_URL=" + stats.url() + "/",
                    "INTERNAL_API_KEY=k");
            watchPages();
            replica.delayReplay("1s");
            asApplication("INSERT INTO background_job_status (job_payload, priority) VALUES"
                    + " ('{\"triggeredBy\":\"admin\",\"requestId\":\"r\"}', 1)");
            stats.await("player_power_rating", 1);
            assertEquals(List.of("7"), stats.of("player_power_rating"), freshet.log());
            assertFalse(freshet.log().contains("passed over"), freshet.log());
        }
    }

    @Test
    void a_promoted_replica_is_no_longer_one() throws Exception {
        StreamingServers.Server other = servers.addReplica();
        FreshetProcess freshet = start("FRESHET_REPLICAS=" + other.url(database), "FRESHET_REPLICA_WAIT=1s");
        watchPages();
        other.run("postgres", "SELECT pg_promote()");
        change(1);
        refills.await("page:1", 1);
        freshet.waitForLog(Pattern.compile("takes writes of its own"));
    }

    @Test
    void a_replica_behind_a_transaction_pooler_is_asked_like_any_other() throws Exception {
        Installed.needs("/usr/sbin/pgbouncer", "pgbouncer");
        int port = Installed.freePort();
        Path config = Files.createTempFile("pgbouncer-", ".ini");
        Files.writeString(
                config,
                "[databases]\n" + database + " = host=127.0.0.1 port=" + replica.port + " dbname=" + database
                        + " user=freshet password='pass word'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = "
                        + port
                        + "\nauth_type = any\npool_mode = transaction\nunix_socket_dir =\ndefault_pool_size = 1\n");
        Files.setPosixFilePermissions(config, PosixFilePermissions.fromString("rw-r--r--"));
        Process pooler = new ProcessBuilder("/usr/sbin/pgbouncer", "-u", "nobody", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            FreshetProcess freshet = start(
                    "FRESHET_REPLICAS=postgres://freshet@127.0.0.1:" + port + "/" + database + "?pgbouncer=true",
                    "FRESHET_REPLICA_WAIT=60s");
            watchPages();
            replica.pauseReplay();
            change(1);
            awaitLeased("page:1");
            replica.resumeReplay();
            refills.await("page:1", 1);
            assertEquals(List.of("1"), refills.of("page:1"));
            assertFalse(freshet.log().contains("passed over"), freshet.log());
        } finally {
            pooler.destroy();
            pooler.waitFor();
        }
    }

    @Test
    void a_bad_address_is_refused_by_name() throws Exception {
        Path folder = FreshetProcess.newFolder();
        Map<String, String> settings = Map.of(
                "DATABASE_URL",
                servers.primary.url(database),
                "FRESHET_REPLICAS",
                replica.url(database) + ",postgres://freshet:secret@host:99999/db");
        for (String[] command : new String[][] {{}, {"check"}}) {
            FreshetProcess freshet = FreshetProcess.launch(folder, settings, command);
            processes.add(freshet);
            assertEquals(2, freshet.exitCode(), freshet.log());
            assertTrue(freshet.log().contains("FRESHET_REPLICAS (address 2 of 2): "), freshet.log());
            assertFalse(freshet.log().contains("secret"), freshet.log());
        }
    }

    private FreshetProcess start(String... settings) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "DATABASE_URL",
                servers.primary.url(database),
                "VERCEL_DEPLOYMENT_URL",
                refills.url(),
                "REVALIDATION_SECRET",
                Scene.SECRET,
                "FRESHET_BUCKET",
                "1d",
                "FRESHET_DEBOUNCE",
                "0",
                "FRESHET_QUEUE_POLL",
                "200ms"));
        for (String setting : settings) {
            environment.put(setting.split("=", 2)[0], setting.split("=", 2)[1]);
        }
        FreshetProcess freshet = FreshetProcess.start(environment);
        processes.add(freshet);
        return freshet;
    }

    /** In health, in the audit, and as a metric. */
    private void awaitReported(FreshetProcess freshet, boolean passedOver) throws SQLException {
        String name = replica.name(database);
        String metric = "freshet_replica_passed_over{replica=\"" + name + "\"} " + (passedOver ? "1.0" : "0.0");
        Scene.until(metric, () -> freshet.get("/observe/metrics").body().contains(metric));
        String health = "127.0.0.1:" + replica.port + " (" + database + "): passed over";
        Scene.until("health", () -> health(freshet).contains(health) == passedOver);
        assertTrue(health(freshet).contains(passedOver ? health : "calls wait for "), health(freshet));
        Scene.until(
                "audit",
                () -> one("SELECT count(*) > 0 FROM invalidation_audit WHERE kind = 'replica' AND outcome = '"
                                + (passedOver ? "passed over" : "caught up") + "' AND detail LIKE '" + name + "%'")
                        .equals("t"));
    }

    private static String health(FreshetProcess freshet) {
        assertEquals(200, freshet.get("/observe/health").statusCode());
        return freshet.get("/observe/health").body();
    }

    private void watchPages() throws SQLException {
        asApplication("SELECT cache_invalidation_watch('page', ARRAY['page:{id}'])");
        servers.awaitReplayed(replica);
    }

    private void change(int page) throws SQLException {
        asApplication("UPDATE page SET version = version + 1 WHERE id = " + page);
    }

    private void changeAll() throws SQLException {
        try (Connection c = servers.primary.connect(database);
                PreparedStatement s = c.prepareStatement("UPDATE page SET version = version + 1 WHERE id = ?")) {
            for (int id = 1; id <= REFILLS; id++) {
                s.setInt(1, id);
                s.execute();
            }
        }
    }

    private void awaitLeased(String tag) {
        Scene.until(
                tag + " waits",
                () -> one("SELECT count(*) FROM freshet.delivery WHERE lease_id IS NOT NULL AND tag = '" + tag + "'")
                        .equals("1"));
    }

    private void awaitProcessed() {
        Scene.until(
                "processed",
                () -> one("SELECT count(*) FROM cache_invalidation_queue" + " WHERE last_invalidated_at IS NULL")
                        .equals("0"));
    }

    private String one(String sql) throws SQLException {
        return servers.primary.one(database, sql);
    }

    private void asApplication(String... statements) throws SQLException {
        try (Connection c = servers.primary.connect(database)) {
            TestDatabase.run(c, "SET ROLE freshet");
            for (String statement : statements) {
                TestDatabase.run(c, statement);
            }
        }
    }
}
