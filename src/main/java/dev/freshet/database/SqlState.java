package dev.freshet.database;

import java.sql.SQLException;
import java.util.Set;

/** Classifies PostgreSQL's error codes by what the caller should do. */
public final class SqlState {
    /** lock_not_available, deadlock_detected */
    private static final Set<String> LOCKED = Set.of("55P03", "40P01");
    /** data exception, integrity constraint violation */
    private static final Set<String> REFUSED_CLASSES = Set.of("22", "23");

    private static final String IDLE_IN_TRANSACTION = "25P03";

    private SqlState() {}

    /** Someone else holds a lock: give way and try again later. */
    public static boolean isLocked(SQLException e) {
        return e.getSQLState() != null && LOCKED.contains(e.getSQLState());
    }

    /** The values themselves were refused: the same attempt would fail again. */
    public static boolean isRefused(SQLException e) {
        return e.getSQLState() != null
                && e.getSQLState().length() == 5
                && REFUSED_CLASSES.contains(e.getSQLState().substring(0, 2));
    }

    /** The connection was lost, and with it its transaction. */
    public static boolean isConnectionLost(SQLException e) {
        String state = e.getSQLState();
        return state != null
                && (state.startsWith("08") || state.startsWith("57P") || state.equals(IDLE_IN_TRANSACTION));
    }
}
