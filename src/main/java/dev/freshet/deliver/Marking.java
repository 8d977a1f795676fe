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
    private record Held(String tag, String timeBucket) {}

    private final SqlFile lock = SqlFile.of("queue/lock-handed");
    private final SqlFile mark = SqlFile.of("queue/mark");

    public void mark(Connection connection, Collection<String> tags) throws SQLException {
        if (tags.isEmpty()) {
            return;
        }
        List<Held> held = lock.rows(connection, Map.of("tags", List.copyOf(tags)), Held.class);
        mark.update(
                connection,
                Map.of(
                        "tags", List.copyOf(tags),
                        "heldTags", held.stream().map(Held::tag).toList(),
                        "heldBuckets", held.stream().map(Held::timeBucket).toList()));
    }
}
