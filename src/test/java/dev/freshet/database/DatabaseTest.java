package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.settings.CannotStart;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.datasource.AbstractDataSource;

class DatabaseTest {
    @Test
    void the_pool_recovers_when_the_server_cuts_every_connection() throws Exception {
        try (TestDatabase test = TestDatabase.empty();
                Database database = open(DatabaseUrl.parse(test.url()))) {
            assertTrue(applicationName(database).startsWith("freshet "), applicationName(database));
            test.runAsSuperuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + test.name()
                    + "' AND pid <> pg_backend_pid()");
            Eventually.is(Duration.ofSeconds(20), () -> applicationName(database) != null, () -> "a connection");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?pgbouncer=true"})
    void transactions_keep_their_settings_whatever_the_database_defaults_to(String pooler) throws Exception {
        try (TestDatabase test = TestDatabase.empty()) {
            test.runAsSuperuser(
                    "ALTER DATABASE " + test.name() + " SET default_transaction_isolation = 'serializable'");
            test.runAsSuperuser("ALTER DATABASE " + test.name() + " SET idle_in_transaction_session_timeout = 0");
            try (Database database = open(DatabaseUrl.parse(test.url() + pooler))) {
                assertEquals(
                        List.of("read committed", "5s"),
                        database.transactions()
                                .in(c -> List.of(
                                        TestDatabase.list(c, "SHOW transaction_isolation")
                                                .get(0),
                                        TestDatabase.list(c, "SHOW idle_in_transaction_session_timeout")
                                                .get(0))));
            }
        }
    }

    @Test
    void an_unreachable_database_is_refused_at_once() throws Exception {
        try (TestDatabase test = TestDatabase.empty()) {
            String message =
                    refusal(DatabaseUrl.parse("postgres://freshet:s3cret@localhost:" + test.port() + "/nowhere"), null);
            assertTrue(message.contains("there is no database \"nowhere\" at localhost:" + test.port()), message);
            assertFalse(message.contains("s3cret"), message);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "postgres://ann:s3cret@h/db | 28P01 | FATAL: password s3cret for ann | wrong password or no such role",
                "postgres://ann:s3cret@h/db | 28000 | FATAL: no pg_hba.conf entry | the server does not let Freshet in"
                        + " (FATAL: no pg_hba.conf entry)",
                "postgres://ann:s3cret@h/db | 08001 | Connection to h:5432 refused. s3cret | cannot reach database"
                        + " \"db\" at h:5432 as \"ann\"",
                "postgres://ann:s3cret@h/db | 57P03 | FATAL: the database system is starting up | starting up); start"
                        + " it",
                "postgres://postgres:s3cret@db.abc.supabase.co/postgres | 08001 | The connection attempt failed. | the"
                        + " session pooler's URL"
            })
    void an_error_is_reported_without_the_password(String url, String state, String text, String said) {
        String message = refusal(DatabaseUrl.parse(url), new SQLException(text, state));
        assertTrue(message.contains(said), message);
        assertFalse(message.contains("s3cret"), message);
    }

    private static String refusal(DatabaseUrl address, SQLException answer) {
        return assertThrows(CannotStart.class, () -> {
                    if (answer == null) {
                        Database.open(address, 2, Duration.ofSeconds(60), Duration.ZERO);
                    } else {
                        new FirstContact(address).within(Duration.ZERO, new Answering(answer));
                    }
                })
                .getMessage();
    }

    private static Database open(DatabaseUrl address) {
        return Database.open(address, 2, Duration.ofSeconds(60), Duration.ZERO);
    }

    private static String applicationName(Database database) {
        try (Connection connection = database.pool().getConnection()) {
            return TestDatabase.list(connection, "SHOW application_name").get(0);
        } catch (SQLException e) {
            return null;
        }
    }

    private static final class Answering extends AbstractDataSource {
        private final SQLException answer;

        Answering(SQLException answer) {
            this.answer = answer;
        }

        @Override
        public Connection getConnection() throws SQLException {
            throw answer;
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            throw answer;
        }
    }
}
