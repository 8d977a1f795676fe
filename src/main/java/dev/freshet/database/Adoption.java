package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether Freshet may and can move in: its own rights, and the tables of the replaced systems that are there already.
 */
public final class Adoption {
    private static final Logger LOG = LoggerFactory.getLogger(Adoption.class);

    /** What docs/contract.md says of each; {@code time} is with or without a time zone, {@code text} any string or enum. */
    private static final Map<String, List<String>> TABLES = Map.of(
            "cache_invalidation_queue",
                    List.of(
                            "tag text",
                            "time_bucket timestamptz",
                            "invalidation_count number",
                            "last_invalidated_at timestamptz",
                            "created_at timestamptz"),
            "invalidation_audit",
                    List.of(
                            "id any",
                            "pattern text",
                            "keys jsonb",
                            "triggered_by text",
                            "timestamp time",
                            "request_id text",
                            "latency_ms number",
                            "created_at time"),
            "background_job_status",
                    List.of(
                            "id uuid",
                            "job_type text",
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
            "cache_entries", List.of("cache_key text", "tags _text", "value jsonb", "expires_at timestamptz"));

    private static final Map<String, SqlFile> ATTEMPTS = Map.of(
            "cache_invalidation_queue", SqlFile.of("database/try-queue"),
            "invalidation_audit", SqlFile.of("database/try-audit"),
            "background_job_status", SqlFile.of("database/try-jobs"),
            "cache_entries", SqlFile.of("database/try-entries"));

    /** Locked by somebody else: no reason to refuse. */
    private static final Set<String> PASSING = Set.of("55P03", "40P01", "40001");

    private static final Map<String, List<String>> KEYS =
            Map.of("cache_invalidation_queue", List.of("tag, time_bucket"), "cache_entries", List.of("cache_key"));

    /** @throws Refusal with the statement that mends it */
    public void check(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            checkRights(connection);
            for (String table : TABLES.keySet().stream().sorted().toList()) {
                checkTable(connection, table);
            }
        } catch (SQLException e) {
            throw new CannotStart("The database's tables could not be looked at: " + said(e));
        }
    }

    private static void checkRights(Connection connection) throws SQLException {
        Map<String, Object> row = row(connection, """
            SELECT current_user AS role, current_database() AS database, to_regnamespace('freshet') IS NOT NULL AS there,
                   has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
                   has_schema_privilege('public', 'CREATE') AS may_create_in_public,
                   CASE WHEN to_regnamespace('freshet') IS NULL THEN true ELSE has_schema_privilege('freshet', 'CREATE') END AS may_use_schema
            """);
        if (!is(row, "there") && !is(row, "may_create_schema")) {
            throw new CannotStart(
                    "Freshet keeps its own tables in the schema freshet, which its role may not create: run  GRANT"
                            + " CREATE ON DATABASE "
                            + quoted(row.get("database")) + " TO " + quoted(row.get("role")) + ";");
        }
        if (!is(row, "may_use_schema")) {
            throw new CannotStart("The schema freshet belongs to another role: run  ALTER SCHEMA freshet OWNER TO "
                    + quoted(row.get("role")) + ";");
        }
        if (!is(row, "may_create_in_public")) {
            throw new CannotStart(
                    "Freshet's role may not create its functions in the schema public: run  GRANT CREATE ON SCHEMA"
                            + " public TO "
                            + quoted(row.get("role")) + ";");
        }
    }

    private static void checkTable(Connection connection, String table) throws SQLException {
        Map<String, Object> row = row(connection, """
            SELECT current_user AS role, c.relkind::text AS kind, pg_has_role(current_user, c.relowner, 'USAGE') AS ours,
                   pg_get_userbyid(c.relowner) AS owner, row_security_active(c.oid) AS rows_hidden
            FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ?
            """, table);
        if (row == null) {
            return;
        }
        if (!"r".equals(row.get("kind"))) {
            throw new CannotStart("public." + table
                    + " is there already, but is no ordinary table: rename it, so that Freshet can create its own");
        }
        if (!is(row, "ours")) {
            throw new CannotStart("The table public." + table + " is there already and belongs to "
                    + quoted(row.get("owner")) + "; Freshet must own the tables it adopts: run  ALTER TABLE public."
                    + table + " OWNER TO " + quoted(row.get("role")) + ";");
        }
        if (is(row, "rows_hidden")) {
            throw new CannotStart("The row-level security of public." + table
                    + " would hide rows from Freshet: run  ALTER TABLE public." + table
                    + " NO FORCE ROW LEVEL SECURITY;");
        }
        checkColumns(connection, table);
        checkOtherColumns(connection, table);
        for (String key : KEYS.getOrDefault(table, List.of())) {
            checkUnique(connection, table, key);
        }
    }

    /** Columns that Freshet does not know have to get along without it. */
    private static void checkOtherColumns(Connection connection, String table) throws SQLException {
        String known =
                TABLES.get(table).stream().map(column -> column.split(" ")[0]).collect(Collectors.joining(","));
        Map<String, Object> row = row(connection, """
            SELECT string_agg(format('ALTER COLUMN %I DROP NOT NULL', attname), ', ' ORDER BY attnum) AS help,
                   string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
            FROM pg_attribute
            WHERE attrelid = ('public.' || ?)::regclass AND attnum > 0 AND NOT attisdropped
              AND attnotnull AND NOT atthasdef AND attidentity = '' AND attname <> ALL (string_to_array(?, ','))
            """, table, known);
        if (row.get("columns") != null) {
            throw new CannotStart("The table public." + table + " has columns of its own that must not be null and have"
                    + " no default (" + row.get("columns") + "), so that Freshet cannot add rows: give them one, or run"
                    + "  ALTER TABLE public." + table + " " + row.get("help") + ";");
        }
    }

    /**
     * What no look at the catalog tells (CHECKs, unique keys and triggers of an adopted table's own) is tried: rows as
     * Freshet writes them, in a transaction that is rolled back.
     *
     * @throws Refusal if a table does not take them
     */
    public void tryOut(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            for (Map.Entry<String, SqlFile> attempt : ATTEMPTS.entrySet()) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SET LOCAL lock_timeout = '2s'");
                    tryOut(connection, attempt.getKey(), attempt.getValue());
                } finally {
                    connection.rollback();
                }
            }
        } catch (SQLException e) {
            throw new CannotStart("The database's tables could not be tried: " + said(e));
        }
    }

    private static void tryOut(Connection connection, String table, SqlFile attempt) throws SQLException {
        try {
            if (attempt.rows(connection, Map.of()).isEmpty()) {
                throw new CannotStart(
                        "The table public." + table + " does not keep the rows that Freshet writes: a trigger of its"
                                + " own drops them. Drop that, or rename the table, so that"
                                + " Freshet creates its own");
            }
        } catch (SQLException e) {
            if (PASSING.contains(e.getSQLState())) {
                LOG.info(
                        "Whether public.{} takes Freshet's rows could not be tried, since somebody else holds it: {}",
                        table,
                        said(e));
                return;
            }
            String constraint = e instanceof PSQLException p && p.getServerErrorMessage() != null
                    ? p.getServerErrorMessage().getConstraint()
                    : null;
            throw new CannotStart("The table public." + table + " does not take the rows that Freshet writes ("
                    + said(e)
                    + "): "
                    + (constraint == null
                            ? "change it, or rename it, so that Freshet creates its own"
                            : "run  ALTER TABLE public." + table + " DROP CONSTRAINT " + quoted(constraint) + ";"));
        }
    }

    private static String said(SQLException e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " ");
    }

    /** @param key its columns, in alphabetical order */
    private static void checkUnique(Connection connection, String table, String key) throws SQLException {
        Map<String, Object> index = row(connection, """
            SELECT 1 FROM pg_index i WHERE i.indrelid = ('public.' || ?)::regclass AND i.indisunique AND i.indisvalid
               AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate
               AND (SELECT string_agg(a.attname, ', ' ORDER BY a.attname) FROM pg_attribute a
                    WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) = ?
            """, table, key);
        if (index == null) {
            throw new CannotStart("The table public." + table + " has no unique key (" + key
                    + "): run  ALTER TABLE public." + table + " ADD PRIMARY KEY (" + key + ");");
        }
    }

    private static final java.util.regex.Pattern TAKES_ANY_TAG = java.util.regex.Pattern.compile(
            "text|character varying|character varying\\((25[6-9]|2[6-9]\\d|[3-9]\\d\\d|\\d{4,})\\)");

    private static void checkColumns(Connection connection, String table) throws SQLException {
        Map<String, String> wrong = new LinkedHashMap<>();
        for (String column : TABLES.get(table)) {
            String[] nameAndType = column.split(" ");
            Map<String, Object> found = row(connection, """
                SELECT t.typname::text AS type, t.typcategory::text AS category,
                    format_type(a.atttypid, a.atttypmod) AS written FROM pg_attribute a
                        JOIN pg_type t ON t.oid = a.atttypid
                WHERE a.attrelid = ('public.' || ?)::regclass AND a.attname = ? AND a.attnum > 0 AND NOT a.attisdropped
                """, table, nameAndType[0]);
            if (found == null) {
                wrong.put(nameAndType[0], "is missing (" + nameAndType[1] + ")");
            } else if (!fits(nameAndType[1], (String) found.get("type"), (String) found.get("category"))) {
                wrong.put(nameAndType[0], "is " + found.get("type") + ", not " + nameAndType[1]);
            } else if (nameAndType[0].equals("tag")
                    && !TAKES_ANY_TAG.matcher((String) found.get("written")).matches()) {
                wrong.put(
                        "tag",
                        "is " + found.get("written")
                                + ", which does not take every tag: write ALTER COLUMN tag TYPE text");
            }
        }
        if (!wrong.isEmpty()) {
            List<String> said = new ArrayList<>();
            wrong.forEach((name, what) -> said.add(name + " " + what));
            throw new CannotStart("The table public." + table + " is there already, but in another form: "
                    + String.join(", ", said) + "; rename it, or change it with ALTER TABLE");
        }
    }

    private static boolean fits(String wanted, String type, String category) {
        return switch (wanted) {
            case "any" -> true;
            case "text" -> category.equals("S") || category.equals("E");
            case "number" -> category.equals("N");
            case "time" -> type.equals("timestamptz") || type.equals("timestamp");
            default -> type.equals(wanted);
        };
    }

    private static Map<String, Object> row(Connection connection, String sql, String... arguments) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setString(i + 1, arguments[i]);
            }
            try (ResultSet result = statement.executeQuery()) {
                if (!result.next()) {
                    return null;
                }
                Map<String, Object> row = new LinkedHashMap<>();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                    row.put(result.getMetaData().getColumnLabel(i), result.getObject(i));
                }
                return row;
            }
        }
    }

    private static boolean is(Map<String, Object> row, String name) {
        return Boolean.TRUE.equals(row.get(name));
    }

    private static String quoted(Object name) {
        return "\"" + String.valueOf(name).replace("\"", "\"\"") + "\"";
    }
}
