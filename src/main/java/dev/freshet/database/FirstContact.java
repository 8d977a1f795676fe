package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out whether there is a database to work with, and otherwise explains the reason on one helpful line. */
final class FirstContact {
    private static final Logger LOG = LoggerFactory.getLogger(FirstContact.class);
    private static final int OLDEST_VERSION = 14; // the first version with date_bin
    /**
     * No server yet, or one that is starting, stopping or full: worth waiting for, because a compose file starts both
     * at once.
     */
    private static final List<String> PASSING = List.of("08001", "08004", "08006", "57P01", "57P02", "57P03", "53300");

    private final DatabaseUrl address;

    FirstContact(DatabaseUrl address) {
        this.address = address;
    }

    void within(Duration patience, DataSource source) {
        long end = System.nanoTime() + patience.toNanos();
        boolean said = false;
        while (true) {
            try (Connection connection = source.getConnection()) {
                checkServer(connection);
                return;
            } catch (SQLException e) {
                if (!PASSING.contains(e.getSQLState()) || System.nanoTime() > end) {
                    throw new CannotStart(explain(e));
                }
                if (!said) {
                    LOG.info("Waiting for {}: {}", address.where(), firstLine(e));
                    said = true;
                }
            }
            pause();
        }
    }

    private void checkServer(Connection connection) throws SQLException {
        int version = connection.getMetaData().getDatabaseMajorVersion();
        if (version < OLDEST_VERSION) {
            throw new CannotStart("DATABASE_URL: the server of " + address.where() + " is PostgreSQL " + version
                    + "; Freshet needs " + OLDEST_VERSION + " or newer");
        }
        try (ResultSet row = connection.createStatement().executeQuery("SELECT pg_is_in_recovery()")) {
            row.next();
            if (row.getBoolean(1)) {
                throw new CannotStart("DATABASE_URL: " + address.where()
                        + " is a standby that can only be read; write the primary's address");
            }
        }
    }

    private String explain(SQLException e) {
        String state = Optional.ofNullable(e.getSQLState()).orElse("");
        String where = address.where();
        if (state.equals("28P01") || address.password() == null && state.equals("08004")) {
            return "DATABASE_URL: wrong password or no such role for " + where
                    + "; write the right one, percent-encoded";
        }
        if (state.equals("28000")) {
            return "DATABASE_URL: the server does not let Freshet in (" + firstLine(e) + ") to " + where
                    + "; write another role, or allow it in pg_hba.conf";
        }
        if (state.equals("3D000")) {
            return "DATABASE_URL: there is no " + where + "; create it, or write another name";
        }
        if (address.isSupabaseDirect() && state.startsWith("08")) {
            return "DATABASE_URL: cannot reach " + where + " (" + firstLine(e)
                    + "). That host has an IPv6 address only: set DATABASE_URL to "
                    + "the session pooler's URL (Supabase: Connect, Session pooler)";
        }
        return "DATABASE_URL: cannot reach " + where + " (" + firstLine(e) + "); start it, or write another address";
    }

    private String firstLine(SQLException e) {
        Throwable cause = e.getCause() instanceof java.net.UnknownHostException ? e.getCause() : e;
        String text = cause instanceof java.net.UnknownHostException
                ? "unknown host " + cause.getMessage()
                : String.valueOf(e.getMessage());
        text = text.lines().findFirst().orElse("").replaceFirst(" Check that the hostname and port are correct.*", "");
        return address.password() == null || address.password().isEmpty()
                ? text
                : text.replace(address.password(), "***");
    }

    private static void pause() {
        try {
            Thread.sleep(250);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CannotStart("stopped while waiting for the database");
        }
    }
}
