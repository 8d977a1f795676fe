package dev.freshet.queue;

import dev.freshet.database.SqlState;
import java.sql.SQLException;

/** A lock that someone else holds is not an error: Freshet always gives way. */
final class GiveWay {
    private GiveWay() {}

    /**
     * A lock or a row that the users' table refuses is not an error either: all other rows proceed without it.
     * Everything else is rethrown.
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
