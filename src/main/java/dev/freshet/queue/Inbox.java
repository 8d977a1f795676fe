package dev.freshet.queue;

import dev.freshet.source.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;

/** Asks whether something was committed: often while things happen, less often when it has been quiet for long. */
public final class Inbox {
    private static final long QUIET_NANOS = Duration.ofSeconds(20).toNanos();
    private static final int QUIET_TICKS = 3;

    private final SqlFile hasChanges = SqlFile.of("inbox-has-changes");
    private final DataSource dataSource;
    private final Floor floor;
    private long lastSeen = System.nanoTime();
    private int tick;

    public Inbox(DataSource dataSource, Turn turn) {
        this.dataSource = dataSource;
        this.floor = turn.floor();
    }

    public synchronized boolean hasChanges() throws SQLException {
        boolean quiet = System.nanoTime() - lastSeen > QUIET_NANOS;
        if (quiet && ++tick % QUIET_TICKS != 0) {
            return false;
        }
        try (Connection connection = dataSource.getConnection()) {
            boolean changes = !hasChanges.rows(connection, Map.of("floor", floor.id())).isEmpty();
            if (changes) {
                lastSeen = System.nanoTime();
            }
            return changes;
        }
    }
}
