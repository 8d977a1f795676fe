package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.database.SqlFile;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a target that goes after another one waits for. InterleavingTest shows that the claim checks this. */
class GoesAfterTest {
    private static final String NO_LIMIT = Long.toString(Long.MAX_VALUE);
    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        database.run("INSERT INTO freshet.target (name, copy_of, place) VALUES ('app', NULL, NULL),"
                + " ('app@one', 'app', 'one'), ('app@two', 'app', 'two'), ('other', NULL, NULL)");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void a_tag_that_the_other_target_is_not_owed_has_no_limit() throws SQLException {
        assertEquals(NO_LIMIT, doneAhead("a"));
        owe("other", "a", 7, "0 s");
        owe("app", "b", 7, "0 s");
        assertEquals(NO_LIMIT, doneAhead("a"));
    }

    @Test
    void the_copy_that_has_the_least_determines_the_limit() throws SQLException {
        owe("app@one", "a", 9, "0 s");
        assertEquals("9", doneAhead("a"));
        owe("app@two", "a", 7, "0 s");
        assertEquals("7", doneAhead("a"));
    }

    @Test
    void a_delivery_owed_for_more_than_half_a_minute_is_not_waited_for() throws SQLException {
        owe("app@one", "a", 7, "31 s");
        assertEquals(NO_LIMIT, doneAhead("a"));
        owe("app@two", "a", 9, "20 s");
        assertEquals("9", doneAhead("a"));
    }

    @Test
    void a_late_delivery_makes_the_tag_owed_again_to_all_targets_that_go_after() throws SQLException {
        database.run("INSERT INTO freshet.target (name, goes_after) VALUES ('varnish', 'app'), ('cdn', 'varnish'),"
                + " ('aside', 'other')");
        assertEquals("cdn varnish", oweAfter("app@one"));
        assertEquals("cdn", oweAfter("varnish"));
        assertEquals("", oweAfter("cdn"));
    }

    @Test
    void targets_that_go_after_each_other_owe_each_other_nothing() throws SQLException {
        database.run("INSERT INTO freshet.target (name, goes_after) VALUES ('x', 'y'), ('y', 'x'), ('z', 'y')");
        assertEquals("", oweAfter("x"));
        assertEquals("", oweAfter("y"));
    }

    /** A probe does not wait, because a breaker should close soon; all it may do is make a call too many. */
    @Test
    void a_probe_covers_no_change_that_the_other_target_does_not_have() throws SQLException {
        database.run("INSERT INTO freshet.target (name, goes_after, opened_at, open_until)"
                + " VALUES ('edge', 'app', now(), now())");
        owe("app", "a", 7, "0 s");
        owe("edge", "a", 4, "0 s");
        try (Connection connection = database.connect()) {
            assertEquals(
                    1,
                    SqlFile.of("deliver/claim").rows(connection, claimOfEdge()).size());
        }
        assertEquals("7", database.one("SELECT claimed_handover FROM freshet.delivery WHERE target = 'edge'"));
    }

    /** While the app is down, everything waits, and each claim would ask about all of it. */
    @Test
    void a_claim_asks_about_a_thousand_tags_at_most() throws SQLException {
        database.run("INSERT INTO freshet.target (name, goes_after) VALUES ('edge', 'app')");
        database.run("INSERT INTO freshet.delivery (tag, target, handover, done_handover, changed_at, due_at)"
                + " SELECT 'tag' || n, target, 10, 7, now(), now() - make_interval(secs => n * 0.001)"
                + " FROM generate_series(1, 3000) n, unnest(ARRAY['app', 'edge']) AS target");
        try (Connection connection = database.connectAs("postgres")) {
            connection.setAutoCommit(false);
            TestDatabase.run(connection, "SET LOCAL track_functions = 'pl'");
            assertEquals(List.of(), SqlFile.of("deliver/claim").rows(connection, claimOfEdge()));
            assertEquals(
                    List.of("1000"),
                    TestDatabase.list(
                            connection,
                            "SELECT sum(calls) FROM pg_stat_xact_user_functions WHERE funcname = 'done_ahead'"));
            connection.rollback();
        }
    }

    private static Map<String, Object> claimOfEdge() {
        Map<String, Object> terms = new HashMap<>(Map.of("target", "edge", "lease", UUID.randomUUID(), "limit", 5));
        terms.putAll(Map.of("urgentLimit", 5, "retries", 5, "lowestFirst", false, "hasReplicas", false));
        terms.putAll(Map.of("probeSeconds", 5, "probeMaxSeconds", 60, "leaseSeconds", 60));
        terms.putAll(Map.of("freshWithinSeconds", 60, "retriesWithinSeconds", 60));
        return terms;
    }

    private String oweAfter(String late) throws SQLException {
        try (Connection connection = database.connect()) {
            SqlFile.of("deliver/owe-after").rows(connection, Map.of("tags", List.of("a"), "targets", List.of(late)));
        }
        String owed = database.one(
                "SELECT coalesce(string_agg(target, ' ' ORDER BY target), '') FROM freshet.delivery WHERE tag = 'a'");
        database.run("DELETE FROM freshet.delivery");
        return owed;
    }

    @Test
    void a_target_may_not_go_after_itself() {
        Target target = new Target();
        target.setName("edge");
        assertEquals(
                "after is edge: write the name of another target",
                assertThrows(IllegalArgumentException.class, () -> target.setAfter("edge"))
                        .getMessage());
        target.setAfter(" ");
        assertNull(target.getAfter());
    }

    private void owe(String target, String tag, long done, String since) throws SQLException {
        database.run(
                "INSERT INTO freshet.delivery (tag, target, handover, done_handover, changed_at, owed_at) VALUES ('"
                        + tag + "', '" + target + "', 10, " + done + ", now(), now() - interval '" + since + "')");
    }

    private String doneAhead(String tag) throws SQLException {
        return database.one("SELECT freshet.done_ahead('" + tag + "', 'app')::text");
    }
}
