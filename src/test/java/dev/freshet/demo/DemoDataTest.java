package dev.freshet.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The demo's tables outlive the version that created them. */
class DemoDataTest {
    private static final String COUNTS = "SELECT count(*) || ' matches, '"
            + " || (SELECT count(*) FROM aggregated_power_ratings) || ' ratings' FROM matches";
    private static final String OBJECTS =
            "SELECT 'function' AS kind, proname::text AS name, freshet.is_ours(oid, 'pg_proc') AS is_ours"
                    + " FROM pg_proc WHERE pronamespace = 'public'::regnamespace UNION ALL"
                    + " SELECT 'relation', relname, freshet.is_ours(oid, 'pg_class') FROM pg_class"
                    + " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')";

    /** In players.sql, what the demo creates is also in a list, which makes it Freshet's and has it run at first. */
    @Test
    void the_demo_has_every_function_of_a_job_and_all_that_it_creates_is_marked_as_its_own() throws Exception {
        try (TestDatabase database = TestDatabase.migrated()) {
            database.run("CREATE TABLE freshet.before AS " + OBJECTS);
            new DemoData(database.pool(2)).load();
            List<String> created =
                    database.list("SELECT name FROM (" + OBJECTS + ") now WHERE name NOT IN (SELECT name FROM"
                            + " freshet.before) AND kind = 'function' AND name !~ '^freshet_'");
            List<String> expected = new ArrayList<>(JobFunctions.NAMES);
            expected.addAll(List.of("demo_chance", "demo_finish_match"));
            assertEquals(new TreeSet<>(expected), new TreeSet<>(created));
            assertEquals(expected.size(), created.size(), created.toString());
            assertEquals(
                    List.of(),
                    database.list("SELECT name FROM (" + OBJECTS + ") now"
                            + " WHERE name NOT IN (SELECT name FROM freshet.before) AND NOT is_ours ORDER BY 1"));
            for (String table : database.list("SELECT name FROM (" + OBJECTS + ") now WHERE name ~ '^aggregated_'")) {
                assertEquals("t", database.one("SELECT EXISTS (SELECT FROM " + table + ")"), table);
            }
        }
    }

    @Test
    void an_older_demo_gets_the_functions_of_this_version_and_keeps_its_rows() throws Exception {
        try (TestDatabase database = TestDatabase.migrated()) {
            new DemoData(database.pool(2)).load();
            String before = database.one(COUNTS);
            database.run("DROP FUNCTION public.update_power_ratings(uuid); DELETE FROM aggregated_power_ratings;"
                    + "CREATE OR REPLACE FUNCTION public.update_aggregated_hall_of_fame() RETURNS void LANGUAGE sql AS"
                    + " 'SELECT'; DELETE FROM aggregated_hall_of_fame;"
                    + "UPDATE players SET name = 'Kept' WHERE id = 1");
            new DemoData(database.pool(2)).load();
            assertEquals(before, database.one(COUNTS));
            database.run("SELECT public.update_aggregated_hall_of_fame()");
            assertEquals("t", database.one("SELECT count(*) > 0 FROM aggregated_hall_of_fame"));
            assertEquals("Kept", database.one("SELECT name FROM players WHERE id = 1"));
            assertEquals(
                    "0",
                    database.one("SELECT count(*) FROM information_schema.routine_privileges"
                            + " WHERE routine_name = 'update_power_ratings' AND grantee = 'PUBLIC'"));
        }
    }

    @Test
    void beside_a_foreign_table_nothing_is_created() throws Exception {
        try (TestDatabase database = TestDatabase.migrated()) {
            database.run("CREATE TABLE public.matches (id int)");
            new DemoData(database.pool(2)).load();
            assertEquals(
                    "0",
                    database.one("SELECT count(*) FROM pg_proc"
                            + " WHERE proname IN ('update_power_ratings', 'demo_chance')"));
            assertEquals(
                    "matches",
                    database.one("SELECT string_agg(relname, ',') FROM pg_class"
                            + " WHERE relname IN ('players', 'matches', 'match_players')"));
        }
    }
}
