package dev.freshet.database;

import java.sql.Connection;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.internal.database.base.Database;
import org.flywaydb.core.internal.database.base.Schema;
import org.flywaydb.core.internal.jdbc.JdbcConnectionFactory;
import org.flywaydb.core.internal.jdbc.StatementInterceptor;
import org.flywaydb.database.postgresql.PostgreSQLConnection;
import org.flywaydb.database.postgresql.PostgreSQLDatabase;
import org.flywaydb.database.postgresql.PostgreSQLDatabaseType;

/**
 * Makes Flyway work without session state. Flyway sets search_path and the role for the session, but behind a
 * transaction pooler that session serves the users' next transaction. Our migrations name their schemas, so they need
 * neither.
 */
public final class SessionlessPostgres extends PostgreSQLDatabaseType {
    @Override
    public int getPriority() {
        return super.getPriority() + 1;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Database createDatabase(
            Configuration configuration, JdbcConnectionFactory connections, StatementInterceptor interceptor) {
        return new PostgreSQLDatabase(configuration, connections, interceptor) {
            @Override
            protected PostgreSQLConnection doGetConnection(Connection connection) {
                return new Session(this, connection);
            }
        };
    }

    private static final class Session extends PostgreSQLConnection {
        Session(PostgreSQLDatabase database, Connection connection) {
            super(database, connection);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public void changeCurrentSchemaTo(Schema schema) {}

        @Override
        public void doChangeCurrentSchemaOrSearchPathTo(String schema) {}

        @Override
        protected void doRestoreOriginalState() {}
    }
}
