package dev.freshet.queue;

import dev.freshet.database.SqlState;
import java.sql.SQLException;

/** Somebody else's lock is no failure: Freshet is always the one who gives way. */
final class GiveWay {
    private GiveWay() {}

    /**
     * Nor is a row that the users' table refuses: all others go on without it.
     *
     * @return true for a lock, false for a refusal
     */
    static boolean orThrow(SQLException e) throws SQLException {
        if (!SqlState.isLocked(e) && !SqlState.isRefused(e)) {
            throw e;
        }
        return SqlState.isLocked(e);
    }
}
