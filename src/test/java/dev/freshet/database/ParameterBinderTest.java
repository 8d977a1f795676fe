package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ParameterBinderTest {
    private record Which(double freshWithinSeconds, String tag, UUID lease, Timestamp before, boolean marks) {}

    private record Found(String tag, double seconds, UUID lease, Timestamp before, boolean marks, int length) {}

    private record Tag(String tag) {}

    private record Tags(List<String> tags) {}

    private record Numbers(List<Long> tags) {}

    private record Misspelt(String tagg) {}

    private record Page(Tag which, int limit) {}

    private record TwoTags(Tag which, String tag, int limit) {}

    private record Nothing() {}

    private static final SqlFile TAG = new SqlFile("queue/tag", "SELECT :#tag::text");
    private static final SqlFile ALL = new SqlFile("queue/all", "SELECT unnest(:#tags::text[])");
    private static final SqlFile PAGE =
            new SqlFile("queue/page", "SELECT :#tag || number FROM generate_series(1, :#limit) number");

    private static TestDatabase database;
    private static Connection connection;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        connection = database.connect();
    }

    @AfterAll
    static void stop() throws Exception {
        connection.close();
        database.close();
    }

    @Test
    void components_are_bound_by_name_in_any_order_and_as_often_as_they_occur() throws SQLException {
        SqlFile echo = new SqlFile(
                "queue/echo",
                "SELECT :#tag AS tag, :#freshWithinSeconds AS seconds, :#lease AS lease, :#before AS before,"
                        + " :#marks AS marks, length(:#tag) AS length");
        Timestamp before = Timestamp.valueOf("2026-01-02 03:04:05.678");
        assertEquals(
                new Found("abc", 0.25, new UUID(0, 1), before, true, 3),
                echo.row(connection, new Which(0.25, "abc", new UUID(0, 1), before, true), Found.class));
    }

    @Test
    void null_is_bound_as_null() throws SQLException {
        assertEquals(Optional.empty(), TAG.firstRow(connection, new Tag(null), String.class));
        assertEquals(List.of(), ALL.rows(connection, new Tags(null), String.class));
    }

    @Test
    void a_list_is_bound_as_an_array_of_texts() throws SQLException {
        List<String> tags = Arrays.asList("a", null, "b, c");
        assertEquals(tags, ALL.rows(connection, new Tags(tags), String.class));
        assertEquals(List.of("1", "2"), ALL.rows(connection, new Numbers(List.of(1L, 2L)), String.class));
    }

    @Test
    void the_components_of_a_nested_record_are_bound() throws SQLException {
        assertEquals(List.of("a1", "a2"), PAGE.rows(connection, new Page(new Tag("a"), 2), String.class));
    }

    @Test
    void every_way_to_run_a_statement_takes_a_record() throws SQLException {
        assertEquals("a", TAG.rows(connection, new Tag("a")).get(0).get("text"));
        new SqlFile("queue/make", "CREATE TEMPORARY TABLE noted (tag text)").update(connection, new Nothing());
        SqlFile note = new SqlFile("queue/note", "INSERT INTO noted VALUES (:#tag)");
        assertEquals(1, note.update(connection, new Tag("a")));
        List<String> found = new ArrayList<>();
        PAGE.with(new Page(new Tag("b"), 1)).each(connection, 1, row -> found.add(row.getString(1)));
        assertEquals(List.of("b1"), found);
    }

    @Test
    void one_record_may_be_given_to_several_statements() throws SQLException {
        SqlFile other = new SqlFile("queue/other", "SELECT upper(:#tag)");
        assertEquals("a", TAG.row(connection, new Tag("a"), String.class));
        assertEquals("A", other.row(connection, new Tag("a"), String.class));
    }

    @Test
    void a_parameter_that_the_record_lacks_is_named() {
        assertRefused("sql/queries/queue/page.sql needs limit", PAGE, new Tag("a"));
    }

    @Test
    void a_component_that_is_not_a_parameter_is_named_with_its_statement_each_time() {
        String refused = "sql/queries/queue/tag.sql has no parameter tagg, which "
                + "dev.freshet.database.ParameterBinderTest$Misspelt has; its parameters are [tag]";
        assertRefused(refused, TAG, new Misspelt("a"));
        assertRefused(refused, TAG, new Misspelt("a"));
    }

    @Test
    void a_nested_component_that_is_not_a_parameter_is_refused_too() {
        assertRefused(
                "sql/queries/queue/tag.sql has no parameter limit, which"
                        + " dev.freshet.database.ParameterBinderTest$Page has; its parameters are [tag]",
                TAG,
                new Page(new Tag("a"), 1));
    }

    @Test
    void a_parameter_must_have_exactly_one_component() {
        assertRefused(
                "dev.freshet.database.ParameterBinderTest$TwoTags has tag twice", PAGE, new TwoTags(null, "a", 1));
    }

    private static void assertRefused(String message, SqlFile statement, Record values) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> statement.rows(connection, values));
        assertEquals(message, refused.getMessage());
    }
}
