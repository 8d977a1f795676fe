package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.Marking;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Marks rows of the queue as processed that someone else had locked when they should have been marked. */
final class LateMarks {
    private static final Logger LOG = LoggerFactory.getLogger(LateMarks.class);
    private static final int TAGS = 1_000;
    private static final long EVERY_NANOS = Duration.ofMillis(250).toNanos();

    private final SqlFile takeMarkLater = SqlFile.of("queue/take-mark-later");
    private final Transactions transactions;
    private final Marking marking;
    private long markedAt = System.nanoTime() - EVERY_NANOS;

    LateMarks(Transactions transactions, Marking marking) {
        this.transactions = transactions;
        this.marking = marking;
    }

    void markNowAndThen() throws SQLException {
        if (System.nanoTime() - markedAt > EVERY_NANOS) {
            mark();
        }
    }

    void mark() throws SQLException {
        markedAt = System.nanoTime();
        try {
            transactions.in(c -> {
                marking.mark(c, take(c, TAGS));
                return null;
            });
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            markOneByOne();
        }
    }

    /** Rows that the queue's table does not allow to be marked stay as they are; the others do not wait for them. */
    private void markOneByOne() throws SQLException {
        boolean more = true;
        for (int i = 0; i < TAGS && more; i++) {
            try {
                more = transactions.in(c -> {
                    List<String> tag = take(c, 1);
                    marking.mark(c, tag);
                    return !tag.isEmpty();
                });
            } catch (SQLException e) {
                if (!SqlState.isRefused(e)) {
                    throw e;
                }
                List<String> skipped = transactions.in(c -> take(c, 1));
                LOG.warn(
                        "The table cache_invalidation_queue refuses to have {} marked as processed: {}",
                        skipped,
                        e.getMessage());
            }
        }
    }

    private List<String> take(Connection connection, int limit) throws SQLException {
        return takeMarkLater.rows(connection, Map.of("limit", limit), String.class).stream()
                .distinct()
                .toList();
    }
}
