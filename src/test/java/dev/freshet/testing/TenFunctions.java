package dev.freshet.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The ten statistics functions as a test needs them: each counts its starts (even those that are rolled back), writes
 * into public.ran when it ran, on which backend and in which transaction, and meanwhile does what the test says.
 */
public final class TenFunctions {
    public interface Connector {
        Connection connect() throws SQLException;
    }

    /** As the contract lists them. */
    static final Map<String, List<String>> TAGS = new LinkedHashMap<>();

    static {
        TAGS.put("update_half_and_full_season_stats", List.of("season_stats", "half_season_stats"));
        TAGS.put("update_aggregated_all_time_stats", List.of("all_time_stats"));
        TAGS.put("update_aggregated_hall_of_fame", List.of("hall_of_fame"));
        TAGS.put("update_aggregated_recent_performance", List.of("recent_performance"));
        TAGS.put("update_aggregated_season_honours_and_records", List.of("honour_roll"));
        TAGS.put("update_aggregated_match_report_cache", List.of("match_report"));
        TAGS.put("update_aggregated_personal_bests", List.of("personal_bests"));
        TAGS.put("update_aggregated_player_profile_stats", List.of("player_profile_stats"));
        TAGS.put("update_aggregated_season_race_data", List.of("season_race_data"));
        TAGS.put("update_power_ratings", List.of("player_power_rating"));
    }

    public static final List<String> NAMES = List.copyOf(TAGS.keySet());
    public static final List<String> ALL_TAGS =
            TAGS.values().stream().flatMap(List::stream).sorted().toList();

    /** For {@link #during}: no function ends before the test opens the gate. */
    public static final String WAIT_AT_THE_GATE = "PERFORM pg_advisory_xact_lock_shared(4712);"
            + " WHILE NOT (SELECT is_open FROM public.gate) LOOP PERFORM pg_sleep(0.01); END LOOP;";
    /** For {@link #during}: no function ends before all ten have begun. */
    public static final String WAIT_FOR_ALL_TEN = "PERFORM nextval('public.company');"
            + " WHILE (SELECT last_value FROM public.company) < 10 LOOP PERFORM pg_sleep(0.01); END LOOP;";

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

    public TenFunctions(Connector database) throws SQLException {
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
