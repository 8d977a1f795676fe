package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * Keeps fences up to date during a turn. A fence waits for certain changes; each of them is followed from the inbox
 * into the queue, and from the queue to the deliveries, in the transaction that moves it. While no fence waits, the
 * fold and the hand-over report that, and nothing is done here.
 */
final class FenceNotes {
    /** @param ids changes that the fold took; null: all changes that have left the inbox without being noted */
    private record Changes(List<?> ids) {}

    /** @param tags tags that were handed over; null: everything that was handed over without being noted */
    private record Handed(List<String> tags, boolean pastQueue) {}

    private final SqlFile noteFolded = SqlFile.of("queue/note-folded");
    private final SqlFile noteHanded = SqlFile.of("queue/note-handed");

    /** @param ids changes that the fold took; empty if no fence waits for a change in the inbox */
    void folded(Connection connection, List<Long> ids) throws SQLException {
        if (!ids.isEmpty()) {
            noteFolded(connection, ids);
        }
    }

    void handedOver(Connection connection, List<String> tags) throws SQLException {
        if (!tags.isEmpty()) {
            noteHanded(connection, tags, false);
        }
    }

    /** For a tag that the queue's table refuses: what is pending for it becomes owed without rows in the queue. */
    void owedPastTheQueue(Connection connection, String tag) throws SQLException {
        noteFolded(connection, null);
        noteHanded(connection, List.of(tag), true);
    }

    /** Catches up on changes that someone else moved, such as an instance of an older build or a psql session. */
    void unnoticed(Connection connection) throws SQLException {
        noteFolded(connection, null);
        noteHanded(connection, null, false);
    }

    private void noteFolded(Connection connection, List<?> ids) throws SQLException {
        noteFolded.update(connection, new Changes(ids));
    }

    private void noteHanded(Connection connection, List<String> tags, boolean pastQueue) throws SQLException {
        noteHanded.update(connection, new Handed(tags, pastQueue));
    }
}
