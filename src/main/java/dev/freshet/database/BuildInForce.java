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
 * transaction, under the lock that only one instance holds. After the last file it records a digest of Flyway's table,
 * so that the next start knows without Flyway that nothing is missing.
 */
final class BuildInForce extends BaseCallback {
    /** A newer build has migrated the database between the check and the lock. */
    static final class Overtaken extends FlywayException {
        private static final long serialVersionUID = 1;

        Overtaken() {
            super("a newer build has put its functions in force meanwhile");
        }
    }

    private static final String HISTORY =
            "SELECT md5(string_agg(concat_ws(' ', installed_rank, version, script, checksum, success), ','"
                    + " ORDER BY installed_rank)) FROM freshet.flyway_schema_history";

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

    /** Whether the last file of this build was applied and Flyway's table has not changed since. */
    static boolean isWhole(Connection connection, Build build) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT history = (" + HISTORY + ") FROM freshet.build WHERE digest = ?")) {
            statement.setString(1, build.digest());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_EACH_MIGRATE || event == Event.AFTER_MIGRATE;
    }

    @Override
    public void handle(Event event, Context context) {
        if (event == Event.AFTER_MIGRATE) {
            noteWhole(context.getConnection());
        } else {
            noteBegun(context);
        }
    }

    /** Changes nothing if a newer build has installed its functions in the meantime. */
    private void noteWhole(Connection connection) {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE freshet.build SET history = (" + HISTORY + ") WHERE digest = ?")) {
            statement.setString(1, build.digest());
            statement.executeUpdate();
        } catch (SQLException e) {
            throw new FlywayException(e);
        }
    }

    private void noteBegun(Context context) {
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
            ON CONFLICT (only_one) DO UPDATE SET digest = excluded.digest, history = NULL, applied_at = now()
            WHERE b.digest <> excluded.digest OR b.history IS NOT NULL
            """)) {
            statement.setString(1, build.digest());
            statement.executeUpdate();
        }
    }
}
