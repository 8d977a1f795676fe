package dev.freshet.deliver;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Marks queue rows as processed once every target has an outcome; what somebody else holds is left to the next turn.
 */
public final class Marking {
    private final SqlFile lock = SqlFile.of("queue/lock-handed");
    private final SqlFile mark = SqlFile.of("queue/mark");

    public void mark(Connection connection, Collection<String> tags) throws SQLException {
        if (tags.isEmpty()) {
            return;
        }
        List<Map<String, Object>> held = lock.rows(connection, Map.of("tags", List.copyOf(tags)));
        mark.update(
                connection,
                Map.of(
                        "tags", List.copyOf(tags),
                        "heldTags", held.stream().map(row -> row.get("tag")).toList(),
                        "heldBuckets",
                                held.stream().map(row -> row.get("time_bucket")).toList()));
    }
}
