package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * What a turn does for those who ask whether their changes are out: each change of theirs is followed from the inbox
 * into the queue and from there to what targets are owed, in the transaction that moves it. Where nobody asks, the fold
 * and the hand-over say so, and nothing is done.
 */
final class FenceNotes {
    /** @param ids null: of whatever was folded and not noted */
    private record Changes(List<?> ids) {}

    /** @param tags null: whatever was handed over and not noted */
    private record Handed(List<String> tags, boolean pastQueue) {}

    private final SqlFile noteFolded = SqlFile.of("queue/note-folded");
    private final SqlFile noteHanded = SqlFile.of("queue/note-handed");

    /** @param ids what the fold has taken; none where no fence waits for the inbox */
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

    /** The queue's table refuses the tag, and whatever was to be delivered of it is owed without its rows. */
    void owedPastTheQueue(Connection connection, String tag) throws SQLException {
        noteFolded(connection, null);
        noteHanded(connection, List.of(tag), true);
    }

    /** What others have moved: an instance of an older build, a session of psql. */
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
