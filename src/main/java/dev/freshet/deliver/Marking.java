package dev.freshet.deliver;

import dev.freshet.source.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Marks queue rows as processed once every target has an outcome; what somebody else holds is left to the next turn. */
public final class Marking {
    private final SqlFile lock;
    private final SqlFile mark;

    public Marking() {
        this(SqlFile.of("lock-handed"), SqlFile.of("mark"));
    }

    Marking(SqlFile lock, SqlFile mark) {
        this.lock = lock;
        this.mark = mark;
    }

    public void mark(Connection connection, Collection<String> tags) throws SQLException {
        if (!tags.isEmpty()) {
            write(connection, tags, lock(connection, tags));
        }
    }

    List<Map<String, Object>> lock(Connection connection, Collection<String> tags) throws SQLException {
        return lock.rows(connection, Map.of("tags", List.copyOf(tags)));
    }

    void write(Connection connection, Collection<String> tags, List<Map<String, Object>> held) throws SQLException {
        mark.update(connection, Map.of(
                "tags", List.copyOf(tags),
                "heldTags", held.stream().map(row -> row.get("tag")).toList(),
                "heldBuckets", held.stream().map(row -> row.get("time_bucket")).toList()));
    }
}
