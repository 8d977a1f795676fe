package dev.freshet.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The statistics functions that routes/stats.camel.yaml names, as a test needs them: each counts its starts (even those
 * that are rolled back), writes into public.ran when it ran, on which backend and in which transaction, and meanwhile
 * does what the test says.
 */
public final class JobFunctions {
    public interface Connector {
        Connection connect() throws SQLException;
    }

    private static final Path FILE = Path.of("routes/stats.camel.yaml");
    private static final Pattern RUN = Pattern.compile("run\\(\\$\\{body}, '(\\w+)', '([^']*)'\\)");

    /** Each function's tags, in the order of the file. */
    public static final Map<String, List<String>> TAGS = read();

    public static final List<String> NAMES = List.copyOf(TAGS.keySet());
    public static final int COUNT = NAMES.size();
    public static final List<String> ALL_TAGS = tagsWithout();

    /** For {@link #during}: no function ends before the test opens the gate. */
    public static final String WAIT_AT_THE_GATE = "PERFORM pg_advisory_xact_lock_shared(4712);"
            + " WHILE NOT (SELECT is_open FROM public.gate) LOOP PERFORM pg_sleep(0.01); END LOOP;";
    /** For {@link #during}: no function ends before all have begun. */
    public static final String WAIT_FOR_ALL = "PERFORM nextval('public.company');"
            + " WHILE (SELECT last_value FROM public.company) < " + COUNT + " LOOP PERFORM pg_sleep(0.01); END LOOP;";

    private static final String TABLES = """
        CREATE TABLE public.ran (function text, pid integer, transaction text, tenant uuid,
            started timestamptz, ended timestamptz);
        CREATE TABLE public.gate (is_open boolean);
        INSERT INTO public.gate VALUES (false);
        CREATE SEQUENCE public.company;
        """;
    private static final String FUNCTION = """
        CREATE OR REPLACE FUNCTION public.%1$s() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('public.begun_%1$s');
            INSERT INTO public.ran (function, pid, transaction, started)
            VALUES ('%1$s', pg_backend_pid(), pg_current_xact_id()::text, clock_timestamp());
            PERFORM public.during('%1$s');
            UPDATE public.ran SET ended = clock_timestamp()
            WHERE function = '%1$s' AND transaction = pg_current_xact_id()::text;
        END $$;
        """;

    private final Connector database;

    private static Map<String, List<String>> read() {
        Map<String, List<String>> tags = new LinkedHashMap<>();
        try {
            find(
                    new Load(LoadSettings.builder().setLabel(FILE.toString()).build())
                            .loadFromString(Files.readString(FILE)),
                    tags);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Collections.unmodifiableMap(tags);
    }

    /** Whatever calls the method run of the bean stats, wherever it is in the file. */
    private static void find(Object node, Map<String, List<String>> tags) {
        if (node instanceof List<?> list) {
            list.forEach(item -> find(item, tags));
        } else if (node instanceof Map<?, ?> map) {
            if ("stats".equals(map.get("ref"))
                    && String.valueOf(map.get("method")).startsWith("run")) {
                Matcher run = RUN.matcher(map.get("method").toString());
                if (!run.matches()
                        || tags.put(run.group(1), List.of(run.group(2).split(", *"))) != null) {
                    throw new IllegalStateException(FILE + ": " + map.get("method"));
                }
            }
            map.values().forEach(value -> find(value, tags));
        }
    }

    /** The tags of all functions except the named ones, sorted. */
    public static List<String> tagsWithout(String... names) {
        return TAGS.entrySet().stream()
                .filter(function -> !List.of(names).contains(function.getKey()))
                .flatMap(function -> function.getValue().stream())
                .distinct()
                .sorted()
                .toList();
    }

    public JobFunctions(Connector database) throws SQLException {
        this.database = database;
        run(TABLES);
        for (String name : NAMES) {
            run("CREATE SEQUENCE public.begun_" + name);
        }
        reset();
    }

    /** All functions exist, none has run, the gate is closed, and they do nothing in addition. */
    public void reset() throws SQLException {
        run("TRUNCATE public.ran; UPDATE public.gate SET is_open = false; SELECT setval('public.company', 1, false)");
        during("");
        for (String name : NAMES) {
            run("SELECT setval('public.begun_" + name + "', 1, false)");
            create(name);
        }
    }

    /** @param plpgsql what each function does while it runs; {@code name} is its name */
    public void during(String plpgsql) throws SQLException {
        run("CREATE OR REPLACE FUNCTION public.during(name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN " + plpgsql
                + " END $$");
    }

    public void create(String name) throws SQLException {
        run(FUNCTION.formatted(name));
    }

    public void drop(String name) throws SQLException {
        run("DROP FUNCTION public." + name + "()");
    }

    public void openTheGate() throws SQLException {
        run("UPDATE public.gate SET is_open = true");
    }

    /** How often each has begun, including transactions that were rolled back. */
    public Map<String, Integer> begun() throws SQLException {
        Map<String, Integer> begun = new LinkedHashMap<>();
        for (String name : NAMES) {
            begun.put(
                    name,
                    Integer.parseInt(
                            one("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.begun_" + name)));
        }
        return begun;
    }

    /** The same number for all except the named ones. */
    public static Map<String, Integer> times(int all, int named, String... names) {
        Map<String, Integer> times = new LinkedHashMap<>();
        NAMES.forEach(name -> times.put(name, List.of(names).contains(name) ? named : all));
        return times;
    }

    /** How often each has committed. */
    public Map<String, Integer> committed() throws SQLException {
        Map<String, Integer> committed = new LinkedHashMap<>();
        for (String name : NAMES) {
            committed.put(
                    name,
                    Integer.parseInt(one(
                            "SELECT count(*) FROM public.ran WHERE ended IS NOT NULL AND function = '" + name + "'")));
        }
        return committed;
    }

    /** The backends whose transactions have reached the gate and have not ended. */
    public List<String> waiting() throws SQLException {
        return list(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 4712 AND objsubid ="
                        + " 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY"
                        + " pid");
    }

    public void awaitWaiting(int functions) {
        Scene.until(functions + " functions are waiting", () -> waiting().size() == functions);
    }

    /** Queues a job as users do, with SQL. */
    public String queue() throws SQLException {
        return one("INSERT INTO public.background_job_status DEFAULT VALUES RETURNING id");
    }

    public String status(String job) throws SQLException {
        return one("SELECT status FROM public.background_job_status WHERE id = '" + job + "'");
    }

    public void await(String job, String status) {
        Eventually.is(
                Duration.ofSeconds(60),
                () -> said(job).startsWith(status + ' '),
                () -> job + " is to be " + status + ", but is " + said(job));
    }

    private String said(String job) {
        try {
            return one("SELECT status || ' ' || coalesce(error_message, '') || ' ' || coalesce(results::text, '') FROM"
                    + " public.background_job_status WHERE id = '"
                    + job + "'");
        } catch (SQLException e) {
            return "out of sight: " + e.getMessage();
        }
    }

    public String one(String sql) throws SQLException {
        return list(sql).get(0);
    }

    public List<String> list(String sql) throws SQLException {
        try (Connection connection = database.connect()) {
            return new ArrayList<>(TestDatabase.list(connection, sql));
        }
    }

    private void run(String sql) throws SQLException {
        try (Connection connection = database.connect()) {
            TestDatabase.run(connection, sql);
        }
    }
}
