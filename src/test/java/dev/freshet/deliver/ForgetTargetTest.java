package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.SqlFile;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The statements that register and forget a target, with others in their way. */
class ForgetTargetTest {
    private static final SqlFile REGISTER = SqlFile.of("deliver/register-target");
    private static final SqlFile LEAVING = SqlFile.of("deliver/leaving-targets");
    private static final SqlFile FORGET = SqlFile.of("deliver/forget-target");

    private TestDatabase database;
    private Connection freshet;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        freshet = database.connect();
        TestDatabase.run(freshet, "SET lock_timeout = '2s'"); // a statement that waits for anybody fails
    }

    @AfterEach
    void close() throws SQLException {
        freshet.close();
        database.close();
    }

    @Test
    void a_target_is_forgotten_together_with_the_last_of_what_it_is_owed() throws Exception {
        deletedAMinuteAgo("gone");
        owe("gone", 25);
        TestDatabase.run(
                freshet,
                "UPDATE freshet.delivery SET lease_id = gen_random_uuid(), claimed_handover = 1,"
                        + " due_at = now() + interval '1 hour' WHERE tag = 't7'");
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.dead_letter (target, tag, attempts, first_failed_at, last_failed_at)"
                        + " VALUES ('gone', 't3', 5, now(), now())");
        List<String> batches = List.of(forget(), forget(), forget(), forget());
        assertEquals(List.of("10 false", "10 false", "4 false", "0 false"), batches);
        TestDatabase.run(freshet, "UPDATE freshet.delivery SET due_at = now() - interval '1 second' WHERE tag = 't7'");
        assertEquals("1 true", forget());
        assertEquals(List.of(), database.list("SELECT name FROM freshet.target"));
        assertEquals(
                "25 dead letters, 5 attempts",
                database.one("SELECT count(*) || ' dead letters, '"
                        + " || max(attempts) || ' attempts' FROM freshet.dead_letter"
                        + " WHERE last_error = 'the file of the target was deleted'"));
        assertEquals("25", database.one("SELECT count(*) FROM freshet.mark_later"));
        assertEquals(
                "25",
                database.one("SELECT sum(jsonb_array_length(keys)) FROM invalidation_audit"
                        + " WHERE outcome = 'dead' AND target = 'gone'"));
    }

    @Test
    void a_target_that_is_still_served_or_was_not_deleted_stays() throws Exception {
        deletedAMinuteAgo("back");
        deletedAMinuteAgo("just");
        TestDatabase.run(freshet, "UPDATE freshet.target SET served_at = now() WHERE name = 'just'");
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.target (name, served_at)" + " VALUES ('paused', now() - interval '1 day')");
        assertEquals("true", register("back"));
        assertEquals(List.of(), leaving());
        assertEquals(List.of("back", "just", "paused"), database.list("SELECT name FROM freshet.target ORDER BY name"));
    }

    @Test
    void a_target_that_is_being_owed_something_is_forgotten_in_a_later_turn() throws Exception {
        deletedAMinuteAgo("gone");
        try (Connection replay = database.connect()) {
            replay.setAutoCommit(false);
            TestDatabase.run(replay, "SELECT FROM freshet.target FOR KEY SHARE");
            TestDatabase.run(
                    replay,
                    "INSERT INTO freshet.delivery (tag, target, handover, changed_at)"
                            + " VALUES ('again', 'gone', 1, now())");
            assertEquals(List.of(), leaving());
            replay.commit();
        }
        assertEquals("1 true", forget());
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.delivery"));
    }

    @Test
    void registering_a_target_waits_for_nobody() throws Exception {
        assertEquals("true", register("served"));
        TestDatabase.run(freshet, "UPDATE freshet.target SET served_at = now() - interval '20 seconds'");
        try (Connection stopped = database.connect()) {
            stopped.setAutoCommit(false);
            TestDatabase.run(stopped, "UPDATE freshet.target SET failing_tags = '{a}'");
            assertEquals("true", register("served"));
            stopped.commit();
        }
        assertEquals("true", register("served"));
        assertEquals(
                "{a} true",
                database.one("SELECT failing_tags::text || ' '"
                        + " || (served_at > now() - interval '10 seconds') FROM freshet.target"));
    }

    @Test
    void a_target_that_returns_while_it_is_being_forgotten_is_not_taken_as_known() throws Exception {
        deletedAMinuteAgo("back");
        try (Connection forgetting = database.connect()) {
            forgetting.setAutoCommit(false);
            assertEquals("0 true", forget(forgetting));
            assertEquals("false", register("back"));
            forgetting.commit();
        }
        assertEquals("true", register("back"));
        assertEquals(List.of("back"), database.list("SELECT name FROM freshet.target WHERE deleted_at IS NULL"));
    }

    private void deletedAMinuteAgo(String name) throws SQLException {
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.target (name, served_at, deleted_at) VALUES ('" + name
                        + "', now() - interval '61 seconds', now() - interval '61 seconds')");
    }

    private void owe(String target, int tags) throws SQLException {
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.delivery (tag, target, handover, changed_at)"
                        + " SELECT 't' || i, '" + target
                        + "', 1, now() FROM generate_series(1, " + tags + ") i");
    }

    private record Declared(String name, boolean takesQueue, int batch, String after) {}

    private String register(String name) throws SQLException {
        return REGISTER.rows(freshet, new Declared(name, true, 1, null))
                .get(0)
                .get("is_registered")
                .toString();
    }

    private List<Object> leaving() throws SQLException {
        return LEAVING.rows(freshet, Map.of()).stream()
                .map(row -> row.get("name"))
                .toList();
    }

    private String forget() throws SQLException {
        return forget(freshet);
    }

    private static String forget(Connection connection) throws SQLException {
        String name = (String) LEAVING.rows(connection, Map.of()).get(0).get("name");
        Map<String, Object> row =
                FORGET.rows(connection, Map.of("name", name, "limit", 10)).get(0);
        return row.get("dead_letters") + " " + row.get("is_forgotten");
    }
}
