package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Refills;
import dev.freshet.testing.Scene;
import dev.freshet.testing.StreamingServers;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two instances side by side, and pages that are read from a replica that lags: whichever instance makes the call, even
 * one that takes over from a killed one, the replica has what the call is about. Each instance has its own secret,
 * which tells the app who calls.
 */
@Timeout(300)
class ReplicasOfTwoIT {
    private static final int PAGES = 300;
    private static final int LAGS = 3;
    private static final String ONE = "secret-of-one";
    private static final String OTHER = "secret-of-other";
    private static final Pattern WAIT = Pattern.compile("(?m)^freshet_replica_wait_seconds (\\S+)$");
    private static StreamingServers servers;
    private static StreamingServers.Server replica;
    private static int count;

    private final String database = "two" + ++count;
    private final List<FreshetProcess> processes = new ArrayList<>();
    private Refills refills;
    /** The version of each page on the primary, by the page's id. */
    private final int[] versions = new int[PAGES + 1];

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
                "INSERT INTO page SELECT generate_series(1, " + PAGES + ")");
        servers.awaitReplayed(replica);
        refills = new Refills(replica, database, "SELECT version FROM page WHERE 'page:' || id = ?");
    }

    @AfterEach
    void stop() throws SQLException {
        refills.close();
        processes.forEach(FreshetProcess::kill9);
        replica.followAtOnce();
    }

    @Test
    void no_page_is_rebuilt_with_the_old_row_whichever_instance_calls() throws Exception {
        FreshetProcess one = start(ONE, true);
        FreshetProcess other = start(OTHER, true);
        watchPages();
        for (int lag = 0; lag < LAGS; lag++) {
            String old = Integer.toString(versions[PAGES]);
            refills.forget();
            replica.pauseReplay();
            changeUntilCallsWaitAt(one, other);
            replica.resumeReplay();
            awaitCalledAndProcessed();
            assertEquals(0, refills.count(old), "built with the old row: " + refills);
            assertFalse(refills.by(ONE).isEmpty(), refills.toString());
            assertFalse(refills.by(OTHER).isEmpty(), refills.toString());
        }
        assertPassedOverByNobody(one, other);
    }

    @Test
    void an_instance_that_does_not_wait_rebuilds_pages_with_the_old_row() throws Exception {
        FreshetProcess one = start(ONE, true);
        start(OTHER, false);
        watchPages();
        replica.pauseReplay();
        double before = waitSeconds(one);
        Scene.until("one waits, the other has called", () -> {
            changeAll();
            return waitSeconds(one) > before && !refills.by(OTHER).isEmpty();
        });
        assertEquals(Set.of("0"), Set.copyOf(refills.by(OTHER)));
        assertEquals(List.of(), refills.by(ONE));
        replica.resumeReplay();
        Scene.until("what waited was called", () -> !refills.by(ONE).isEmpty());
        assertFalse(refills.by(ONE).contains("0"), refills.toString());
    }

    @Test
    void a_call_that_waits_at_a_killed_instance_waits_at_its_successor() throws Exception {
        FreshetProcess one = start(ONE, true);
        FreshetProcess other = start(OTHER, true);
        watchPages();
        replica.pauseReplay();
        changeUntilCallsWaitAt(one, other);
        one.kill9();
        takeOverWhileTheReplicaStandsStill();
        assertEquals(List.of(), refills.by(ONE));
        assertEquals(0, refills.count("0"), "built with the old row: " + refills);
        assertPassedOverByNobody(other);
    }

    @Test
    void a_call_under_way_at_a_killed_instance_waits_at_its_successor() throws Exception {
        start(ONE, true);
        FreshetProcess other = start(OTHER, true);
        watchPages();
        refills.hold();
        Scene.until("both call", () -> {
            changeAll();
            return !refills.by(ONE).isEmpty() && !refills.by(OTHER).isEmpty();
        });
        processes.get(0).kill9();
        replica.pauseReplay();
        changeAll();
        refills.release();
        takeOverWhileTheReplicaStandsStill();
        assertEquals(0, refills.count("0"), "built with the old row: " + refills);
        assertPassedOverByNobody(other);
    }

    /**
     * The leases of the killed instance end; the other takes over what they were for, and proceeds with what comes
     * later for some of the pages. Any call that was made too early on the way has read a row that is old by now.
     */
    private void takeOverWhileTheReplicaStandsStill() throws SQLException {
        List<String> leases = servers.primary.list(database, "SELECT DISTINCT lease_id FROM freshet.delivery");
        servers.primary.run(database, "UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NOT NULL");
        Scene.until(
                "what was leased is leased anew",
                () -> !leases.containsAll(servers.primary.list(
                        database, "SELECT DISTINCT lease_id FROM freshet.delivery WHERE lease_id IS NOT NULL")));
        change(PAGES / 3);
        Scene.until(
                "later changes are handed over",
                () -> isNone("cache_invalidation_queue WHERE invalidation_count > handed_count")
                        && isNone("freshet.inbox WHERE tag IS NOT NULL"));
        replica.resumeReplay();
        awaitCalledAndProcessed();
    }

    /** While the replica stands still, or until one instance did not wait, which is for the caller to detect. */
    private void changeUntilCallsWaitAt(FreshetProcess... instances) {
        String old = Integer.toString(versions[PAGES]);
        Map<FreshetProcess, Double> before = new HashMap<>();
        Arrays.stream(instances).forEach(each -> before.put(each, waitSeconds(each)));
        Scene.until("calls wait at both", () -> {
            changeAll();
            return before.entrySet().stream().allMatch(each -> waitSeconds(each.getKey()) > each.getValue())
                    || refills.count(old) > 0;
        });
    }

    /** Each page was built from the current row. */
    private void awaitCalledAndProcessed() {
        Scene.until(
                "processed",
                () -> isNone("freshet.inbox WHERE tag IS NOT NULL")
                        && isNone("cache_invalidation_queue WHERE last_invalidated_at IS NULL")
                        && isNone("freshet.delivery"));
        assertEquals(
                List.of(),
                IntStream.rangeClosed(1, PAGES)
                        .filter(id -> !refills.of("page:" + id).contains(Integer.toString(versions[id])))
                        .boxed()
                        .toList(),
                "these show an old row, and nothing more is to come: " + refills);
    }

    private FreshetProcess start(String secret, boolean waits) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "DATABASE_URL",
                servers.primary.url(database),
                "VERCEL_DEPLOYMENT_URL",
                refills.url(),
                "REVALIDATION_SECRET",
                secret,
                "FRESHET_BUCKET",
                "1d",
                "FRESHET_DEBOUNCE",
                "0",
                "FRESHET_QUEUE_POLL",
                "200ms",
                "FRESHET_REVALIDATE_CONCURRENCY",
                "4",
                "FRESHET_TARGET_TIMEOUT",
                "30s",
                "FRESHET_LEASE",
                "90s"));
        if (waits) {
            environment.put("FRESHET_REPLICAS", replica.url(database));
            environment.put("FRESHET_REPLICA_WAIT", "5m");
        }
        FreshetProcess freshet = FreshetProcess.start(environment);
        processes.add(freshet);
        return freshet;
    }

    /** It grows while anything waits at this instance. */
    private static double waitSeconds(FreshetProcess freshet) {
        Matcher metric = WAIT.matcher(freshet.get("/observe/metrics").body());
        assertTrue(metric.find(), "it says how long calls wait");
        return Double.parseDouble(metric.group(1));
    }

    private static void assertPassedOverByNobody(FreshetProcess... instances) {
        for (FreshetProcess freshet : instances) {
            assertFalse(freshet.log().contains("passed over"), freshet.log());
        }
    }

    private void watchPages() throws SQLException {
        asApplication("SELECT cache_invalidation_watch('page', ARRAY['page:{id}'])");
        servers.awaitReplayed(replica);
    }

    private void changeAll() throws SQLException {
        change(PAGES);
    }

    /** Changes the first pages, each in a transaction of its own. */
    private void change(int pages) throws SQLException {
        try (Connection c = servers.primary.connect(database);
                PreparedStatement s = c.prepareStatement("UPDATE page SET version = version + 1 WHERE id = ?")) {
            for (int id = 1; id <= pages; id++) {
                s.setInt(1, id);
                s.execute();
                versions[id]++;
            }
        }
    }

    private boolean isNone(String rows) throws SQLException {
        return servers.primary
                .one(database, "SELECT NOT EXISTS (SELECT FROM " + rows + ")")
                .equals("t");
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
