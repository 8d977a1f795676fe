package dev.freshet.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/**
 * Records which build's functions the database has. This is read and written at the beginning of each file's
 * transaction, under the lock that only one instance holds.
 */
final class BuildInForce extends BaseCallback {
    /** A newer build has migrated the database between the check and the lock. */
    static final class Overtaken extends FlywayException {
        private static final long serialVersionUID = 1;

        Overtaken() {
            super("a newer build has put its functions in force meanwhile");
        }
    }

    private final Build build;

    BuildInForce(Build build) {
        this.build = build;
    }

    /** @return empty if the database is new, or if operators have deleted that row */
    static Optional<String> digest(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (!isKnown(statement)) {
                return Optional.empty();
            }
            try (ResultSet row = statement.executeQuery("SELECT digest FROM freshet.build")) {
                return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
        }
    }

    /** V1 creates the table. */
    private static boolean isKnown(Statement statement) throws SQLException {
        try (ResultSet table = statement.executeQuery("SELECT to_regclass('freshet.build') IS NOT NULL")) {
            return table.next() && table.getBoolean(1);
        }
    }

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_EACH_MIGRATE;
    }

    @Override
    public void handle(Event event, Context context) {
        Connection connection = context.getConnection();
        try (Statement statement = connection.createStatement()) {
            // a migration that waits for a lock blocks everyone who comes after it: rather give up and try again
            statement.execute("SET LOCAL lock_timeout = '2s'");
            if (!isKnown(statement)) {
                return;
            }
            boolean isFunction = context.getMigrationInfo().getVersion() == null;
            if (isFunction
                    && digest(connection).filter(found -> !build.follows(found)).isPresent()) {
                throw new Overtaken();
            }
            write(connection);
        } catch (SQLException e) {
            throw new FlywayException(e);
        }
    }

    private void write(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
            INSERT INTO freshet.build AS b (digest) VALUES (?)
            ON CONFLICT (only_one) DO UPDATE SET digest = excluded.digest, applied_at = now()
            WHERE b.digest <> excluded.digest
            """)) {
            statement.setString(1, build.digest());
            statement.executeUpdate();
        }
    }
}
