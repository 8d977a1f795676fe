package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RowReaderTest {
    private record Letter(
            String tag, int attempts, Long settledUpto, Instant lastFailedAt, List<String> targets, UUID lease) {}

    private record Count(long found) {}

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
    void components_are_read_by_column_name_in_any_order() throws SQLException {
        SqlFile letters = new SqlFile(
                "letters",
                "SELECT ARRAY['x', NULL] AS targets, 3 AS attempts, :#tag AS tag, 7::bigint AS settled_upto,"
                        + " timestamptz '2026-01-02 03:04:05.678Z' AS last_failed_at,"
                        + " '00000000-0000-0000-0000-000000000001'::uuid AS lease, 'not asked for' AS more");
        assertEquals(
                new Letter(
                        "a",
                        3,
                        7L,
                        Instant.parse("2026-01-02T03:04:05.678Z"),
                        Arrays.asList("x", null),
                        new UUID(0, 1)),
                letters.row(connection, Map.of("tag", "a"), Letter.class));
    }

    @Test
    void null_is_read_as_null_and_a_null_array_as_an_empty_list() throws SQLException {
        SqlFile letters = new SqlFile(
                "letters",
                "SELECT NULL::text AS tag, 0 AS attempts, NULL::bigint AS settled_upto,"
                        + " NULL::timestamptz AS last_failed_at, NULL::text[] AS targets, NULL::uuid AS lease");
        assertEquals(new Letter(null, 0, null, null, List.of(), null), letters.row(connection, Map.of(), Letter.class));
    }

    @Test
    void a_null_for_a_primitive_is_refused_with_the_statement_and_the_column() {
        SqlFile counts = new SqlFile("queue/counts", "SELECT NULL::bigint AS found");
        IllegalStateException refused =
                assertThrows(IllegalStateException.class, () -> counts.row(connection, Map.of(), Count.class));
        assertEquals("sql/queries/queue/counts.sql: the column found is null", refused.getMessage());
    }

    @Test
    void a_missing_column_is_named() {
        SqlFile counts = new SqlFile("queue/counts", "SELECT 1 AS something");
        SQLException refused = assertThrows(SQLException.class, () -> counts.row(connection, Map.of(), Count.class));
        assertTrue(refused.getMessage().contains("found"), refused.getMessage());
    }

    @Test
    void a_type_that_is_not_a_record_is_read_from_the_first_column() throws SQLException {
        SqlFile tags = new SqlFile("tags", "SELECT tag FROM (VALUES ('a'), (NULL), ('b')) v (tag)");
        assertEquals(Arrays.asList("a", null, "b"), tags.rows(connection, Map.of(), String.class));
        assertEquals(Optional.of("a"), tags.firstRow(connection, Map.of(), String.class));
        assertEquals(2L, new SqlFile("two", "SELECT 2::bigint").row(connection, Map.of(), Long.class));
        assertNull(new SqlFile("none", "SELECT NULL::text").row(connection, Map.of(), String.class));
    }

    @Test
    void a_missing_row_is_an_error() {
        SqlFile none = new SqlFile("queue/none", "SELECT 1 WHERE false");
        assertThrows(IllegalStateException.class, () -> none.row(connection, Map.of(), Integer.class));
    }
}
