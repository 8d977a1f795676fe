package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/** One instance at a time has the turn, until its transaction ends. */
final class TurnLock {
    private final SqlFile takeTurn = SqlFile.of("queue/take-turn");

    /** @return false if another instance has the turn */
    boolean isMine(Connection connection) throws SQLException {
        return takeTurn.row(connection, Map.of(), Boolean.class);
    }
}
