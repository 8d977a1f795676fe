package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfoService;
import org.flywaydb.core.api.MigrationState;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.flywaydb.core.api.output.MigrateResult;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the database's objects up to this version: sql/migrations once, sql/functions whenever they changed. */
public final class Schema {
    private static final Logger LOG = LoggerFactory.getLogger(Schema.class);
    private static final Set<String> LOCKED = Set.of("55P03", "40P01");
    private static final int TRIES = 20;

    private static final String LEFT = "The database's schema is of a newer Freshet: left as it is."
            + " To put this build's functions in force all the same: docs/operations.md, Upgrades and rollback";

    /** Before the first release, the migrations were rewritten. */
    private static final String OTHER_HISTORY = "The database was made by an unreleased build of Freshet, whose tables"
            + " this build cannot take over (%s): set DATABASE_URL to an empty database (of Freshet's own PostgreSQL:"
            + " delete FRESHET_DATA_DIR, which is .freshet unless you set it), or go on with the build that made it";

    private final DataSource dataSource;
    private final Build build;

    public Schema(DataSource dataSource) {
        this(dataSource, new Build());
    }

    Schema(DataSource dataSource, Build build) {
        this.dataSource = dataSource;
        this.build = build;
    }

    private Flyway flyway() {
        Flyway flyway = Flyway.configure(Schema.class.getClassLoader())
                .dataSource(dataSource)
                .locations("classpath:sql/migrations", "classpath:sql/functions")
                .defaultSchema("freshet")
                .schemas("freshet")
                .createSchemas(true)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .lockRetryCount(120)
                // a newer build may have more files of functions, and a former one others
                .ignoreMigrationPatterns("*:future", "repeatable:missing")
                .callbacks(new BuildInForce(build))
                .load();
        // the other kind of lock belongs to the session, and behind a pooler that could be anyone's
        flyway.getConfiguration()
                .getPluginRegister()
                .getPlugin(PostgreSQLConfigurationExtension.class)
                .setTransactionalLock(true);
        return flyway;
    }

    /** Safe with several instances at once, and with several builds. */
    public void migrate() {
        if (isUpToDate()) {
            return; // the usual case. To find this out, Flyway needs a sixth of the time that a start takes
        }
        Flyway flyway = flyway();
        for (int attempt = 1; ; attempt++) {
            try {
                if (isNewer(flyway)) {
                    LOG.warn(LEFT);
                    return;
                }
                MigrateResult result = flyway.migrate();
                if (result.migrationsExecuted > 0) {
                    LOG.info("The database's schema is up to date: {} files applied", result.migrationsExecuted);
                }
                return;
            } catch (FlywayValidateException e) {
                throw new CannotStart(OTHER_HISTORY.formatted(firstComplaint(e)));
            } catch (FlywayException e) {
                SQLException cause = cause(e, SQLException.class);
                boolean passes = cause != null && LOCKED.contains(cause.getSQLState()) && attempt < TRIES;
                if (!passes && cause(e, BuildInForce.Overtaken.class) == null) {
                    throw new CannotStart(
                            "The database's schema could not be brought up to date: " + explain(e, cause));
                }
                LOG.info("Somebody else is working on the tables that the schema's update needs; trying again");
                pause(Math.min(attempt * 250L, 2_000L));
            }
        }
    }

    /**
     * An older build must not put its functions over a newer one's. If operators have deleted the row that says which
     * build is in force, the next build that starts installs its own functions.
     */
    private boolean isNewer(Flyway flyway) {
        Optional<String> inForce = inForce();
        if (inForce.isEmpty()) {
            return false;
        }
        MigrationInfoService files = flyway.info();
        boolean hasMore = Arrays.stream(files.applied()).anyMatch(m -> m.getState() == MigrationState.FUTURE_SUCCESS);
        boolean lacksSome = Arrays.stream(files.pending()).anyMatch(m -> m.getVersion() != null);
        return hasMore || !build.follows(inForce.get()) && !lacksSome;
    }

    private Optional<String> inForce() {
        try (Connection connection = dataSource.getConnection()) {
            return BuildInForce.digest(connection);
        } catch (SQLException e) {
            throw new FlywayException(e);
        }
    }

    private boolean isUpToDate() {
        try (Connection connection = dataSource.getConnection()) {
            return BuildInForce.digest(connection)
                            .filter(build.digest()::equals)
                            .isPresent()
                    && BuildInForce.isWhole(connection, build);
        } catch (SQLException e) {
            return false; // another build made the table in another form: migrating reports what to do
        }
    }

    /** Flyway lists its complaints below a headline. */
    private static String firstComplaint(FlywayValidateException e) {
        return e.getMessage().lines().map(String::trim).skip(1).findFirst().orElse("");
    }

    private static String explain(FlywayException e, SQLException cause) {
        String script = e.getMessage()
                .lines()
                .map(String::trim)
                .filter(l -> l.startsWith("Location") || l.contains(".sql"))
                .findFirst()
                .orElse("");
        String what = cause == null ? e.getMessage() : cause.getMessage();
        return (what + (script.isEmpty() ? "" : " (" + script + ")")).replaceAll("\\s*\\R\\s*", " ");
    }

    private static <T extends Throwable> T cause(Throwable e, Class<T> kind) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (kind.isInstance(t)) {
                return kind.cast(t);
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
}
