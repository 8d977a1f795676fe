package dev.freshet.source;

import dev.freshet.Refusal;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Set;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationState;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.output.MigrateResult;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the database's objects up to this version: sql/migrations once, sql/functions whenever they changed. */
public final class Schema {
    private static final Logger LOG = LoggerFactory.getLogger(Schema.class);
    private static final Set<String> LOCKED = Set.of("55P03", "40P01");
    private static final int TRIES = 20;

    private final Flyway flyway;

    public Schema(DataSource dataSource) {
        this.flyway = Flyway.configure(Schema.class.getClassLoader()).dataSource(dataSource)
                .locations("classpath:sql/migrations", "classpath:sql/functions")
                .defaultSchema("freshet").schemas("freshet").createSchemas(true)
                .baselineOnMigrate(true).baselineVersion("0")
                .lockRetryCount(120)
                .callbacks(new GiveWay())
                .load();
        // the other kind of lock is the session's, and behind a pooler that is anybody's
        flyway.getConfiguration().getPluginRegister().getPlugin(PostgreSQLConfigurationExtension.class).setTransactionalLock(true);
    }

    /** Safe with several instances at once. */
    public void migrate() {
        if (isNewer()) {
            LOG.warn("The database's schema is of a newer Freshet: left as it is");
            return;
        }
        for (int attempt = 1; ; attempt++) {
            try {
                MigrateResult result = flyway.migrate();
                if (result.migrationsExecuted > 0) {
                    LOG.info("The database's schema is up to date: {} files applied", result.migrationsExecuted);
                }
                return;
            } catch (FlywayException e) {
                SQLException cause = sqlCause(e);
                if (cause == null || !LOCKED.contains(cause.getSQLState()) || attempt == TRIES) {
                    throw new Refusal("The database's schema could not be brought up to date: " + explain(e, cause));
                }
                LOG.info("Somebody holds a lock on a table that the schema's update needs; trying again");
                pause(Math.min(attempt * 250L, 2_000L));
            }
        }
    }

    /** An older build must not put its functions over a newer one's. */
    private boolean isNewer() {
        return Arrays.stream(flyway.info().applied()).anyMatch(m -> m.getState() == MigrationState.FUTURE_SUCCESS);
    }

    private static String explain(FlywayException e, SQLException cause) {
        String script = e.getMessage().lines().map(String::trim).filter(l -> l.startsWith("Location") || l.contains(".sql")).findFirst().orElse("");
        String what = cause == null ? e.getMessage() : cause.getMessage();
        return (what + (script.isEmpty() ? "" : " (" + script + ")")).replaceAll("\\s*\\R\\s*", " ");
    }

    private static SQLException sqlCause(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof SQLException cause) {
                return cause;
            }
        }
        return null;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A migration that waits for a lock makes everybody wait who comes after it: rather give way and try again. */
    private static final class GiveWay extends BaseCallback {
        @Override
        public boolean supports(Event event, Context context) {
            return event == Event.BEFORE_EACH_MIGRATE;
        }

        @Override
        public void handle(Event event, Context context) {
            try (Statement statement = context.getConnection().createStatement()) {
                statement.execute("SET LOCAL lock_timeout = '2s'");
            } catch (SQLException e) {
                throw new FlywayException(e);
            }
        }
    }
}
