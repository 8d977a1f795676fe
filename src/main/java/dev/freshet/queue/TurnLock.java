package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/** Of all instances one has the turn, until its transaction ends. */
final class TurnLock {
    private final SqlFile takeTurn = SqlFile.of("queue/take-turn");

    /** @return false: it is another instance's turn */
    boolean isMine(Connection connection) throws SQLException {
        return takeTurn.row(connection, Map.of(), Boolean.class);
    }
}
