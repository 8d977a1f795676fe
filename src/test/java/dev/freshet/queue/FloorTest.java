package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.SqlFile;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** How far the floor may narrow the search for changes. */
class FloorTest {
    @Test
    void the_first_row_ever_written_to_the_inbox_is_above_the_floor() throws Exception {
        try (TestDatabase database = TestDatabase.migrated();
                Connection connection = database.connect()) {
            assertEquals(0L, lastId(connection));
            database.run("SELECT enqueue_cache_invalidation('first')");
            assertEquals(database.one("SELECT id FROM freshet.inbox"), Long.toString(lastId(connection)));
        }
    }

    /** An INSERT draws its id a moment before its transaction id, and a look may fall between the two. */
    @Test
    void an_id_drawn_before_its_transaction_began_to_write_is_above_the_floor() throws Exception {
        try (TestDatabase database = TestDatabase.migrated();
                Connection worker = database.connect();
                Connection writer = database.connect()) {
            database.run("SELECT enqueue_cache_invalidation('earlier'); CREATE SEQUENCE looks");
            Floor floor = new Floor(
                    new SqlFile("counted", "SELECT last_value AS id, nextval('looks') FROM freshet.inbox_id_seq"));
            writer.setAutoCommit(false);
            long id = Long.parseLong(TestDatabase.list(writer, "SELECT nextval('freshet.inbox_id_seq')")
                    .get(0));
            floor.candidate(worker);
            TestDatabase.run(
                    writer,
                    "INSERT INTO freshet.inbox (id, tag) OVERRIDING SYSTEM VALUE" + " VALUES (" + id + ", 'late')");
            AtomicLong highest = new AtomicLong();
            Eventually.is(
                    Duration.ofSeconds(30),
                    () -> {
                        highest.accumulateAndGet(candidate(floor, worker), Math::max);
                        return looks(database) >= 4;
                    },
                    () -> "some more looks");
            assertTrue(highest.get() < id, "nothing is known of " + id + " while it is not committed: " + highest);
            writer.commit();
            Eventually.is(Duration.ofSeconds(30), () -> candidate(floor, worker) >= id, () -> "raised when it is");
        }
    }

    private static long candidate(Floor floor, Connection connection) {
        try {
            return floor.candidate(connection);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static long looks(TestDatabase database) {
        try {
            return Long.parseLong(database.one("SELECT last_value FROM looks"));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static long lastId(Connection connection) throws SQLException {
        return (Long) SqlFile.of("queue/inbox-last-id")
                .rows(connection, Map.of())
                .get(0)
                .get("id");
    }
}
