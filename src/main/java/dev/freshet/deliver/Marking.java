package dev.freshet.deliver;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Marks rows of the queue as processed once every target has an outcome. Rows that someone else has locked are left to
 * the next turn.
 */
public final class Marking {
    private record Held(String tag, String timeBucket) {}

    private record Handed(List<String> tags, List<String> heldTags, List<String> heldBuckets) {}

    private final SqlFile lock = SqlFile.of("queue/lock-handed");
    private final SqlFile mark = SqlFile.of("queue/mark");

    public void mark(Connection connection, Collection<String> tags) throws SQLException {
        if (tags.isEmpty()) {
            return;
        }
        List<Held> held = lock.rows(connection, Map.of("tags", List.copyOf(tags)), Held.class);
        Handed handed = new Handed(
                List.copyOf(tags),
                held.stream().map(Held::tag).toList(),
                held.stream().map(Held::timeBucket).toList());
        mark.update(connection, handed);
    }
}
