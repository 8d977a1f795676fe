package dev.freshet.deliver.replica;

import com.zaxxer.hikari.util.DriverDataSource;
import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.postgresql.Driver;

/** One connection to a replica, used to ask for its position. Used by one thread. */
final class ReplicaSession {
    /** The position of the primary itself, or of a promoted replica: it lacks nothing. */
    static final long EVERYTHING = Long.MAX_VALUE;
    /** Then the connection is replaced, so that a host name that leads elsewhere by now is followed. */
    private static final long GOOD_FOR_NANOS = Duration.ofMinutes(1).toNanos();

    /** @param replayed the position up to which it has replayed; null: it does not replay */
    private record Progress(boolean isReplica, Long replayed) {}

    private static final SqlFile REPLAYED = SqlFile.of("deliver/replayed");
    private static final SqlFile CLUSTER = SqlFile.of("deliver/which-cluster");
    private static final SqlFile SERVER = SqlFile.of("deliver/which-server");

    private final DatabaseUrl address;
    private final DriverDataSource source;
    private final Transactions primary;
    private volatile Connection connection;
    private long openedAt;

    ReplicaSession(DatabaseUrl address, Transactions primary) {
        this.address = address;
        this.primary = primary;
        Properties properties = new Properties();
        properties.setProperty("connectTimeout", "2");
        properties.setProperty("loginTimeout", "5");
        properties.setProperty("socketTimeout", "5");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "freshet");
        // no server-side prepared statements, which a transaction pooler would not keep
        properties.setProperty("prepareThreshold", "0");
        this.source = new DriverDataSource(
                address.jdbcUrl(), Driver.class.getName(), properties, address.user(), address.password());
    }

    /** @throws SQLException says why its position is unknown */
    long replayed() throws SQLException {
        try {
            if (connection == null || System.nanoTime() - openedAt > GOOD_FOR_NANOS) {
                open();
            }
            Progress progress = REPLAYED.row(connection, Map.of(), Progress.class);
            if (progress.replayed() != null) {
                return progress.replayed();
            }
            if (progress.isReplica()) {
                throw new SQLException("pg_last_wal_replay_lsn() is null there: it does not replay its primary's WAL");
            }
            Timestamp server = SERVER.row(connection, Map.of(), Timestamp.class);
            if (server.equals(primary.inOne(c -> SERVER.row(c, Map.of(), Timestamp.class)))) {
                return EVERYTHING;
            }
            throw new SQLException("it takes writes of its own, and is not the database of DATABASE_URL");
        } catch (SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void open() throws SQLException {
        close();
        connection = source.getConnection();
        openedAt = System.nanoTime();
        Long cluster = cluster(connection);
        Long primarys = primary.inOne(ReplicaSession::cluster);
        if (cluster != null && primarys != null && !cluster.equals(primarys)) {
            throw new SQLException("it belongs to another cluster than the database of DATABASE_URL");
        }
    }

    /** Null if this role may not read it. */
    private static Long cluster(Connection connection) throws SQLException {
        try {
            return CLUSTER.row(connection, Map.of(), Long.class);
        } catch (SQLException e) {
            if (e.getSQLState() != null
                    && (e.getSQLState().startsWith("42") || e.getSQLState().startsWith("0A"))) {
                return null;
            }
            throw e;
        }
    }

    /** For people: one line, without the password. */
    String reason(Exception e) {
        String text = String.valueOf(e.getMessage())
                .lines()
                .findFirst()
                .orElse("")
                .replaceFirst(" Check that the hostname and port are correct.*", "");
        return address.password() == null || address.password().isEmpty()
                ? text
                : text.replace(address.password(), "***");
    }

    /** May be called from another thread: ends a wait for an answer. */
    void abort() {
        Connection open = connection;
        if (open != null) {
            try {
                open.abort(Runnable::run);
            } catch (SQLException e) {
                // it is closed anyway
            }
        }
    }

    private void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                // it is closed anyway
            }
        }
    }
}
