package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.TestDatabase;
import dev.freshet.source.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How far the search for changes may be narrowed. */
class FloorTest {
    @Test
    void the_first_row_that_the_inbox_ever_holds_is_above_the_floor() throws Exception {
        try (TestDatabase database = TestDatabase.migrated(); Connection connection = database.connect()) {
            assertEquals(0L, lastId(connection));
            database.run("SELECT enqueue_cache_invalidation('first')");
            assertEquals(database.one("SELECT id FROM freshet.inbox"), Long.toString(lastId(connection)));
        }
    }

    private static long lastId(Connection connection) throws SQLException {
        return (Long) SqlFile.of("inbox-last-id").rows(connection, Map.of()).get(0).get("id");
    }
}
