package dev.freshet.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TestDatabase;
import org.junit.jupiter.api.Test;

/** The demo's tables outlive the version that created them. */
class DemoDataTest {
    private static final String COUNTS = "SELECT count(*) || ' matches, '"
            + " || (SELECT count(*) FROM aggregated_power_ratings) || ' ratings' FROM matches";

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
