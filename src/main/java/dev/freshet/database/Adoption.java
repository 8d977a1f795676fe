package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks that Freshet may move in: its own rights, and the tables of the replaced systems that exist already. */
public final class Adoption {
    record RightsOfRole(
            String role,
            String database,
            boolean isThere,
            boolean mayCreateSchema,
            boolean mayCreateInPublic,
            boolean mayUseSchema) {}

    private static final Logger LOG = LoggerFactory.getLogger(Adoption.class);

    /** Ordered by name. */
    private static final List<AdoptedTable> TABLES = List.of(
            AdoptedTable.of(
                    "background_job_status",
                    null,
                    SqlFile.of("database/try-jobs"),
                    "id uuid",
                    "job_type label",
                    "job_payload jsonb",
                    "status text",
                    "priority number",
                    "retry_count number",
                    "tenant_id uuid",
                    "error_message text",
                    "results jsonb",
                    "started_at time",
                    "completed_at time",
                    "created_at time",
                    "updated_at time"),
            AdoptedTable.of(
                    "cache_entries",
                    "cache_key",
                    SqlFile.of("database/try-entries"),
                    "cache_key text",
                    "tags _text",
                    "value jsonb",
                    "expires_at timestamptz"),
            AdoptedTable.of(
                    "cache_invalidation_queue",
                    "tag, time_bucket",
                    SqlFile.of("database/try-queue"),
                    "tag text",
                    "time_bucket timestamptz",
                    "invalidation_count number",
                    "last_invalidated_at timestamptz",
                    "created_at timestamptz"),
            AdoptedTable.of(
                    "invalidation_audit",
                    null,
                    SqlFile.of("database/try-audit"),
                    "id any",
                    "pattern text",
                    "keys jsonb",
                    "triggered_by label",
                    "timestamp time",
                    "request_id text",
                    "latency_ms number",
                    "created_at time"));

    /** Locked by someone else, which is no reason to refuse. */
    private static final Set<String> PASSING = Set.of("55P03", "40P01", "40001");

    private final SqlFile rightsOfRole = SqlFile.of("database/rights-of-role");

    /** @throws CannotStart with the statement that fixes the problem */
    public void check(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            checkRights(rightsOfRole.row(connection, Map.of(), RightsOfRole.class));
            for (AdoptedTable table : TABLES) {
                table.check(connection);
            }
        } catch (SQLException e) {
            throw new CannotStart("The database's tables could not be looked at: " + said(e));
        }
    }

    private static void checkRights(RightsOfRole rights) {
        String role = quoted(rights.role());
        if (!rights.isThere() && !rights.mayCreateSchema()) {
            throw new CannotStart(
                    "Freshet keeps its own tables in the schema freshet, which its role may not create: run  GRANT"
                            + " CREATE ON DATABASE " + quoted(rights.database()) + " TO " + role + ";");
        }
        if (!rights.mayUseSchema()) {
            throw new CannotStart(
                    "The schema freshet belongs to another role: run  ALTER SCHEMA freshet OWNER TO " + role + ";");
        }
        if (!rights.mayCreateInPublic()) {
            throw new CannotStart(
                    "Freshet's role may not create its functions in the schema public: run  GRANT CREATE ON SCHEMA"
                            + " public TO " + role + ";");
        }
    }

    /**
     * Some obstacles do not show in the catalog (an adopted table's own CHECKs, unique keys and triggers). They are
     * found by inserting rows as Freshet writes them, in a transaction that is rolled back.
     *
     * @throws CannotStart if a table does not accept them
     */
    public void tryOut(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            for (AdoptedTable table : TABLES) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SET LOCAL lock_timeout = '2s'");
                    tryOut(connection, table);
                } finally {
                    connection.rollback();
                }
            }
        } catch (SQLException e) {
            throw new CannotStart("The database's tables could not be tried: " + said(e));
        }
    }

    private static void tryOut(Connection connection, AdoptedTable table) throws SQLException {
        try {
            if (table.attempt().rows(connection, Map.of()).isEmpty()) {
                throw new CannotStart("The table public." + table.name()
                        + " does not keep the rows that Freshet writes: a trigger of its own drops them. Drop that, or"
                        + " rename the table, so that Freshet creates its own");
            }
        } catch (SQLException e) {
            if (PASSING.contains(e.getSQLState())) {
                LOG.info(
                        "Whether public.{} takes Freshet's rows could not be tried, since somebody else holds it: {}",
                        table.name(),
                        said(e));
                return;
            }
            String constraint = e instanceof PSQLException p && p.getServerErrorMessage() != null
                    ? p.getServerErrorMessage().getConstraint()
                    : null;
            String help = constraint == null
                    ? "change it, or rename it, so that Freshet creates its own"
                    : "run  ALTER TABLE public." + table.name() + " DROP CONSTRAINT " + quoted(constraint) + ";";
            throw new CannotStart("The table public." + table.name() + " does not take the rows that Freshet writes ("
                    + said(e) + "): " + help);
        }
    }

    private static String said(SQLException e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " ");
    }

    static String quoted(String name) {
        return "\"" + String.valueOf(name).replace("\"", "\"\"") + "\"";
    }
}
