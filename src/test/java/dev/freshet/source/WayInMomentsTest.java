package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which moments of rows are noted, whoever writes the rows and however. */
class WayInMomentsTest extends WayIn {
    private Transactions transactions;

    @BeforeEach
    void forgetMoments() throws Exception {
        if (transactions == null) {
            transactions = new Transactions(database.pool(1));
            database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET timezone = 'Europe/Berlin'");
        }
        run("DROP TABLE IF EXISTS posts; DROP TABLE IF EXISTS whole");
        database.run("DELETE FROM freshet.moment_change; DELETE FROM freshet.moment");
    }

    /**
     * Asserts that these are all moments to come: tag@year-month-day in UTC, followed by the number of rows that have
     * it if there are several.
     */
    private void assertNoted(String... expected) throws SQLException {
        transactions.in(c -> SqlFile.of("source/fold-moments").rows(c, Map.of("limit", 100_000)));
        assertEquals(
                Arrays.stream(expected).sorted().toList(),
                database
                        .list("SELECT tag || '@' || regexp_replace(to_char(at AT TIME ZONE 'UTC',"
                                + " 'YYYY-MM-DD\"T\"HH24:MI'), 'T00:00$', '') || CASE WHEN count = 1 THEN '' ELSE"
                                + " '*' || count END FROM freshet.moment")
                        .stream()
                        .sorted()
                        .toList());
    }

    private void watchPosts() throws SQLException {
        run("SELECT cache_invalidation_watch('posts', ARRAY['post:{id}', 'posts'], due => ARRAY['publish_at',"
                + " 'unpublish_at'])");
    }

    private void posts() throws SQLException {
        run("CREATE TABLE posts (id int PRIMARY KEY, title text, publish_at timestamptz, unpublish_at timestamptz)");
        watchPosts();
    }

    @Test
    void edits_deletes_and_truncate_move_and_drop_moments() throws Exception {
        posts();
        run("INSERT INTO posts VALUES (1, 'a', '2100-01-01 00:00Z', NULL), (2, 'b', '2100-01-01 00:00Z',"
                + " '2100-02-01 00:00Z'), (3, 'c', NULL, NULL)");
        assertNoted(
                "post:1@2100-01-01",
                "post:2@2100-01-01",
                "post:2@2100-02-01",
                "posts@2100-01-01*2",
                "posts@2100-02-01");
        run("UPDATE posts SET title = 'x'; UPDATE posts SET publish_at = publish_at WHERE id = 1");
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment_change"));
        run("UPDATE posts SET publish_at = '2100-03-01 00:00Z' WHERE id = 1");
        assertNoted(
                "post:1@2100-03-01",
                "post:2@2100-01-01",
                "post:2@2100-02-01",
                "posts@2100-01-01",
                "posts@2100-02-01",
                "posts@2100-03-01");
        run("UPDATE posts SET id = 22 WHERE id = 2; UPDATE posts SET publish_at = NULL WHERE id = 1");
        assertNoted("post:22@2100-01-01", "post:22@2100-02-01", "posts@2100-01-01", "posts@2100-02-01");
        run("BEGIN; DELETE FROM posts; ROLLBACK; DELETE FROM posts WHERE id = 22");
        assertNoted();
        run("INSERT INTO posts SELECT i, 'x', '2100-01-01 00:00Z' FROM generate_series(1, 3) i ON CONFLICT (id) DO"
                + " UPDATE SET publish_at = excluded.publish_at");
        run("MERGE INTO posts p USING (VALUES (2)) s (id) ON p.id = s.id WHEN MATCHED THEN DELETE");
        assertNoted("post:1@2100-01-01", "post:3@2100-01-01", "posts@2100-01-01*2");
        run("TRUNCATE posts");
        assertNoted();
    }

    @Test
    void a_time_in_the_past_or_at_infinity_is_not_a_moment() throws Exception {
        posts();
        run("INSERT INTO posts VALUES (1, 'a', now() - interval '1 s', 'infinity'), (2, 'b', '-infinity', NULL),"
                + " (3, 'c', '290000-01-01', NULL)");
        assertNoted();
        run("UPDATE posts SET publish_at = '2100-01-01 00:00Z'; UPDATE posts SET publish_at = now() - interval '1 s'");
        assertNoted();
        run("UPDATE posts SET publish_at = '2100-01-01 00:00Z'; UPDATE posts SET publish_at = 'infinity'");
        assertNoted();
    }

    @Test
    void a_change_of_a_moment_counts_even_if_its_column_is_not_among_those_watched() throws Exception {
        run("CREATE TABLE posts (id int, title text, views int, publish_at timestamptz)");
        run("SELECT cache_invalidation_watch('posts', ARRAY['post:{id}'], ARRAY['title'], due => ARRAY['publish_at'])");
        queues("INSERT INTO posts VALUES (1, 'a', 0, '2100-01-01 00:00Z')", "post:1");
        queues("UPDATE posts SET views = 1");
        queues("UPDATE posts SET publish_at = now()", "post:1");
        assertNoted();
    }

    @Test
    void timestamps_and_dates_are_read_in_the_databases_time_zone_not_the_sessions() throws Exception {
        run("CREATE DOMAIN day AS date; CREATE TABLE posts (id int, t timestamp(0), d date, s day)");
        run("SET TimeZone = 'America/New_York'; SELECT cache_invalidation_watch('posts', ARRAY['p:{id}'], due =>"
                + " ARRAY['t', 'd', 's'])");
        String insert = "INSERT INTO posts VALUES (1, '2100-01-01 00:00', '2100-07-01', '2100-08-01'),"
                // an hour that is skipped is read as if it were not: as 03:30 of summer time; an hour that occurs twice
                // is the later one
                + " (2, '2038-03-28 02:30', NULL, NULL), (3, '2038-10-31 02:30', 'infinity', '5874897-12-31')";
        String[] moments = {
            "p:1@2099-12-31T23:00",
            "p:1@2100-06-30T22:00",
            "p:1@2100-07-31T22:00",
            "p:2@2038-03-28T01:30",
            "p:3@2038-10-31T01:30"
        };
        run(insert);
        assertNoted(moments);
        run("SET TimeZone = 'Asia/Tokyo'; DO $do$ BEGIN SET LOCAL DateStyle = 'SQL, MDY'; DELETE FROM posts; SET"
                + " LOCAL DateStyle = 'ISO, MDY'; END $do$; RESET TimeZone");
        assertNoted();
        run(insert + "; TRUNCATE posts");
        assertNoted();
        run("SELECT cache_invalidation_unwatch('posts'); " + insert);
        run("SELECT cache_invalidation_watch('posts', ARRAY['p:{id}'], due => ARRAY['t', 'd', 's'])");
        assertNoted(moments);
        run("DROP TABLE posts; DROP DOMAIN day");
    }

    @Test
    void without_a_time_zone_of_the_database_that_of_the_server_applies() throws Exception {
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " RESET timezone");
        try (Connection superuser = database.connectAs("postgres")) {
            // a JDBC client sends a time zone of its own, so the server's is visible only once it has been recorded
            database.run("DELETE FROM freshet.server_time_zone; SELECT freshet.learn_time_zone()");
            assertEquals(
                    TestDatabase.list(superuser, "SHOW log_timezone").get(0),
                    database.one("SELECT freshet.time_zone()"));
            database.run("INSERT INTO freshet.server_time_zone (name) VALUES ('Asia/Kathmandu')");
            assertEquals("Asia/Kathmandu", database.one("SELECT freshet.time_zone()"));
        } finally {
            database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET timezone = 'Europe/Berlin'");
        }
    }

    @Test
    void other_types_and_columns_are_refused_by_name() throws Exception {
        run("CREATE TABLE posts (id int, millis bigint, said text, at time, many timestamptz[], publish_at"
                + " timestamptz)");
        for (String column : List.of("millis", "said", "at", "many")) {
            String why = refused("SELECT cache_invalidation_watch('posts', ARRAY['p'], due => ARRAY['publish_at', '"
                    + column + "'])");
            assertTrue(
                    why.contains("the due column " + column + " of ") && why.contains("timestamptz, timestamp or date"),
                    why);
        }
        assertTrue(refused("SELECT cache_invalidation_watch('posts', ARRAY['p'], due => ARRAY['millis'])")
                .contains("to_timestamp(millis)"));
        assertTrue(refused("SELECT cache_invalidation_watch('posts', ARRAY['p'], due => ARRAY['publish'])")
                .contains("'publish' is among the due columns"));
        assertTrue(refused("SELECT cache_invalidation_watch('posts', ARRAY['p'], due => ARRAY[NULL])")
                .contains("'NULL' is among the due columns"));
        assertTrue(refused("SELECT cache_invalidation_watch('posts', ARRAY['p'], due => '{}')")
                .contains("Leave it out"));
        String late = refused(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT cache_invalidation_watch('posts', ARRAY['p'], due =>"
                        + " ARRAY['publish_at'])");
        run("ROLLBACK");
        assertTrue(late.contains("READ COMMITTED"), late);
        assertEquals("0", one("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'posts'::regclass"));
    }

    @Test
    void existing_rows_are_included_and_a_watch_with_other_due_columns_starts_anew() throws Exception {
        run("CREATE TABLE posts (id int, title text, publish_at timestamptz, unpublish_at timestamptz);"
                + "INSERT INTO posts SELECT i, 'x', '2100-01-01 00:00Z' FROM generate_series(1, 25000) i");
        run("SELECT cache_invalidation_watch('posts', ARRAY['posts'], due => ARRAY['publish_at'])");
        assertNoted("posts@2100-01-01*25000");
        run("SELECT cache_invalidation_watch('posts', ARRAY['posts'], due => ARRAY['publish_at'])");
        assertNoted("posts@2100-01-01*25000");
        run("DELETE FROM posts WHERE id > 2; UPDATE posts SET unpublish_at = '2100-02-01 00:00Z'");
        assertNoted("posts@2100-01-01*2");
        watchPosts();
        assertEquals(
                "{publish_at,unpublish_at}",
                one("SELECT due FROM cache_invalidation_watches WHERE table_name = 'posts'"));
        transactions.in(c -> SqlFile.of("source/forget-moments").rows(c, Map.of("limit", 10)));
        assertNoted(
                "post:1@2100-01-01",
                "post:1@2100-02-01",
                "post:2@2100-01-01",
                "post:2@2100-02-01",
                "posts@2100-01-01*2",
                "posts@2100-02-01*2");
        run("SELECT cache_invalidation_watch('posts', ARRAY['posts'])");
        transactions.in(c -> SqlFile.of("source/forget-moments").rows(c, Map.of("limit", 10)));
        assertNoted();
        run("UPDATE posts SET publish_at = '2100-03-01 00:00Z'");
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment_change"));
        assertEquals(
                "0",
                one("SELECT count(*) FROM pg_trigger WHERE tgname ~ '_(moment|emptied)$' AND tgrelid ="
                        + " 'posts'::regclass"));
        watchPosts();
        run("SELECT cache_invalidation_unwatch('posts')");
        assertNoted();
        assertEquals(
                "0",
                database.one("SELECT count(*) FROM pg_proc WHERE proname ~ '^watch_.*_(moment|emptied)$'"
                        + " AND NOT EXISTS (SELECT FROM freshet.watch WHERE proname ~ format('^watch_%s_', number))"));
    }

    @Test
    void no_row_is_missed_between_existing_rows_and_concurrent_writes() throws Exception {
        run("CREATE TABLE posts (id int, title text, publish_at timestamptz, unpublish_at timestamptz)");
        try (Connection before = database.connectAs("app");
                Connection after = database.connectAs("app")) {
            before.setAutoCommit(false);
            TestDatabase.run(before, "INSERT INTO posts VALUES (1, 'a', '2100-01-01 00:00Z')");
            CompletableFuture<Void> watch = CompletableFuture.runAsync(() -> unchecked(this::watchPosts));
            awaitWaiting("CREATE TRIGGER");
            CompletableFuture<Void> write = CompletableFuture.runAsync(() ->
                    unchecked(() -> TestDatabase.run(after, "INSERT INTO posts VALUES (2, 'a', '2100-01-01 00:00Z')")));
            awaitWaiting("INSERT INTO posts");
            before.commit();
            watch.join();
            write.join();
        }
        assertNoted("post:1@2100-01-01", "post:2@2100-01-01", "posts@2100-01-01*2");
    }

    private interface Sql {
        void run() throws SQLException;
    }

    private static void unchecked(Sql sql) {
        try {
            sql.run();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitWaiting(String what) {
        Eventually.is(
                java.time.Duration.ofSeconds(30),
                () -> {
                    try {
                        return !database.list(
                                        "SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT"
                                                + " l.granted AND c.relname = 'posts' AND mode = ?",
                                        what.startsWith("INSERT") ? "RowExclusiveLock" : "ShareRowExclusiveLock")
                                .isEmpty();
                    } catch (SQLException e) {
                        throw new AssertionError(e);
                    }
                },
                () -> what);
    }

    @Test
    void partitions_count_each_row_once_whichever_table_is_named_and_whenever_they_were_added() throws Exception {
        run("CREATE TABLE whole (id int, d int, publish_at timestamptz, unpublish_at timestamptz) PARTITION BY"
                + " LIST (d);CREATE TABLE whole_1 PARTITION OF whole FOR VALUES IN (1);CREATE TABLE whole_2"
                + " PARTITION OF whole FOR VALUES IN (2, 3) PARTITION BY LIST (d); CREATE TABLE whole_2a PARTITION"
                + " OF whole_2 FOR VALUES IN (2);INSERT INTO whole VALUES (1, 1, '2100-01-01 00:00Z')");
        run("SELECT cache_invalidation_watch('whole', ARRAY['w'], due => ARRAY['publish_at'])");
        assertNoted("w@2100-01-01");
        run("INSERT INTO whole VALUES (2, 2, '2100-01-01 00:00Z'), (3, 1, '2100-01-01 00:00Z'); INSERT INTO"
                + " whole_1 VALUES (4, 1, '2100-01-01 00:00Z');INSERT INTO whole_2 VALUES (5, 2, '2100-01-01"
                + " 00:00Z'); INSERT INTO whole_2a VALUES (6, 2, '2100-01-01 00:00Z')");
        assertNoted("w@2100-01-01*6");
        run("CREATE TABLE whole_2b PARTITION OF whole_2 FOR VALUES IN (3); INSERT INTO whole VALUES (7, 3,"
                + " '2100-01-01 00:00Z'); INSERT INTO whole_2b VALUES (8, 3, '2100-01-01 00:00Z')");
        assertNoted("w@2100-01-01*8");
        run("UPDATE whole SET d = 2 WHERE id = 1; UPDATE whole_2b SET publish_at = '2100-02-01 00:00Z' WHERE id ="
                + " 8; DELETE FROM whole_1 WHERE id = 3");
        assertNoted("w@2100-01-01*6", "w@2100-02-01");
        run("SELECT cache_invalidation_watch('whole', ARRAY['w'], due => ARRAY['publish_at'])");
        run("TRUNCATE whole_2b");
        assertNoted("w@2100-01-01*5");
        run("TRUNCATE whole");
        assertNoted();
    }

    @Test
    void a_partition_watched_by_itself_and_a_table_that_becomes_one_are_counted_too() throws Exception {
        run("CREATE TABLE whole (id int, d int, publish_at timestamptz) PARTITION BY LIST (d); CREATE TABLE"
                + " whole_1 PARTITION OF whole FOR VALUES IN (1);CREATE TABLE whole_2 (id int, d int, publish_at"
                + " timestamptz)");
        for (String table : List.of("whole_1", "whole_2")) {
            run("SELECT cache_invalidation_watch('" + table + "', ARRAY['" + table + "'], due => ARRAY['publish_at'])");
        }
        run("INSERT INTO whole VALUES (1, 1, '2100-01-01 00:00Z'); INSERT INTO whole_1 VALUES (2, 1, '2100-01-01"
                + " 00:00Z'); INSERT INTO whole_2 VALUES (3, 2, '2100-01-01 00:00Z')");
        assertNoted("whole_1@2100-01-01*2", "whole_2@2100-01-01");
        run("ALTER TABLE whole ATTACH PARTITION whole_2 FOR VALUES IN (2); INSERT INTO whole VALUES (4, 2,"
                + " '2100-01-01 00:00Z'); INSERT INTO whole_2 VALUES (5, 2, '2100-01-01 00:00Z')");
        assertNoted("whole_1@2100-01-01*2", "whole_2@2100-01-01*3");
        run("DELETE FROM whole WHERE id IN (2, 3); DELETE FROM whole_2 WHERE id = 4");
        assertNoted("whole_1@2100-01-01", "whole_2@2100-01-01");
        run("TRUNCATE whole");
        assertNoted();
    }

    @Test
    void a_renamed_column_is_reported_as_a_problem_and_blocks_no_write() throws Exception {
        posts();
        run("ALTER TABLE posts RENAME publish_at TO published_at");
        assertTrue(warnings(app, "INSERT INTO posts VALUES (1, 'a', '2100-01-01 00:00Z', '2100-02-01 00:00Z')")
                .toString()
                .contains("moments"));
        String problem = one("SELECT problem FROM cache_invalidation_watches WHERE table_name = 'posts'");
        assertTrue(problem.contains("{publish_at}"), problem);
        database.list("SELECT problem FROM freshet.tend_watches()");
        assertEquals(
                List.of(),
                warnings(app, "INSERT INTO posts VALUES (2, 'a', '2100-01-01 00:00Z', '2100-02-01 00:00Z')"));
        run("SELECT cache_invalidation_watch('posts', ARRAY['posts'], due => ARRAY['published_at', 'unpublish_at'])");
        transactions.in(c -> SqlFile.of("source/forget-moments").rows(c, Map.of("limit", 10)));
        assertNoted("posts@2100-01-01*2", "posts@2100-02-01*2");
    }

    @Test
    void a_changed_time_zone_or_type_is_a_problem_that_the_worker_repairs_in_its_own_tables() throws Exception {
        String table = "CREATE TABLE NAME (id int, t timestamp); INSERT INTO NAME VALUES (1, '2100-01-01 00:00');"
                + " SELECT cache_invalidation_watch('NAME', ARRAY['NAME'], due => ARRAY['t'])";
        run(table.replace("NAME", "posts"));
        database.run(table.replace("NAME", "ours"));
        assertNoted("ours@2099-12-31T23:00", "posts@2099-12-31T23:00");
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET timezone = 'Asia/Tokyo'");
        try {
            String problem = "SELECT problem FROM cache_invalidation_watches WHERE table_name = ?";
            assertTrue(database.one(problem, "posts").contains("now that is: t timestamp in Asia/Tokyo"));
            assertEquals(
                    1,
                    database.list("SELECT problem FROM freshet.tend_watches() WHERE problem LIKE '%Tokyo%'")
                            .size());
            assertEquals(null, database.one(problem, "ours"));
            transactions.in(c -> SqlFile.of("source/forget-moments").rows(c, Map.of("limit", 10)));
            assertNoted("ours@2099-12-31T15:00", "posts@2099-12-31T23:00");
            run("SELECT cache_invalidation_watch('posts', ARRAY['posts'], due => ARRAY['t'])");
            transactions.in(c -> SqlFile.of("source/forget-moments").rows(c, Map.of("limit", 10)));
            assertNoted("ours@2099-12-31T15:00", "posts@2099-12-31T15:00");
        } finally {
            database.run("DROP TABLE ours");
            database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET timezone = 'Europe/Berlin'");
        }
    }

    @Test
    void no_cast_runs_with_our_rights_when_the_type_of_a_column_changes() throws Exception {
        posts();
        run("INSERT INTO posts VALUES (1, 'a', '2100-01-01 00:00Z')");
        run("CREATE TYPE colour AS ENUM ('red'); CREATE TABLE runs (who text); GRANT INSERT ON runs TO PUBLIC;CREATE"
                + " FUNCTION colour_time(colour) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM"
                + " set_config(''trap.ran_as'', concat(current_setting(''trap.ran_as'', true), current_user, '' ''),"
                + " false); RETURN ''2100-01-01''; END';CREATE CAST (colour AS timestamptz) WITH FUNCTION"
                + " colour_time(colour) AS IMPLICIT;ALTER TABLE posts ALTER COLUMN publish_at TYPE colour USING 'red'");
        for (String sql : List.of(
                "INSERT INTO posts VALUES (2, 'a', 'red')",
                "UPDATE posts SET title = 'b'",
                "DELETE FROM posts WHERE id = 1",
                "TRUNCATE posts")) {
            run(sql);
        }
        database.list("SELECT problem FROM freshet.tend_watches()");
        run("INSERT INTO posts VALUES (2, 'a', 'red'); TRUNCATE posts");
        assertEquals("", String.valueOf(one("SELECT coalesce(current_setting('trap.ran_as', true), '')")));
        run("DROP TABLE posts, runs; DROP TYPE colour CASCADE");
    }

    @Test
    void a_writer_needs_rights_on_its_own_table_only_and_a_plain_watch_gets_no_extra_trigger() throws Exception {
        posts();
        run("GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO writer");
        try (Connection writer = database.connectAs("writer")) {
            TestDatabase.run(writer, "INSERT INTO posts VALUES (1, 'a', '2100-01-01 00:00Z')");
            assertNoted("post:1@2100-01-01", "posts@2100-01-01");
            assertTrue(refused(writer, "SELECT freshet.note_moments(1, '{x}', '{2100-01-01}', '{1}')")
                    .contains("permission denied"));
        }
        run("SELECT cache_invalidation_watch('posts', ARRAY['posts'])");
        assertEquals(
                "{freshet_attached,freshet_delete,freshet_insert,freshet_truncate,freshet_update}",
                one("SELECT array_agg(regexp_replace(tgname, '_\\d+', '') ORDER BY tgname) FROM pg_trigger WHERE"
                        + " tgrelid = 'posts'::regclass"));
    }

    @Test
    void a_role_allowed_to_watch_before_moments_existed_still_is() throws Exception {
        database.run(
                "CREATE FUNCTION public.cache_invalidation_watch(watched regclass, templates text[], columns text[]"
                        + " DEFAULT NULL) RETURNS void LANGUAGE sql AS '';COMMENT ON FUNCTION"
                        + " public.cache_invalidation_watch(regclass, text[], text[]) IS 'Freshet: before';REVOKE ALL"
                        + " ON"
                        + " FUNCTION public.cache_invalidation_watch(regclass, text[], text[]) FROM PUBLIC;GRANT"
                        + " EXECUTE"
                        + " ON FUNCTION public.cache_invalidation_watch(regclass, text[], text[]) TO writer;UPDATE"
                        + " freshet.flyway_schema_history SET checksum = 0 WHERE description = 'cache invalidation"
                        + " watch'");
        database.migrate();
        assertEquals(
                "{\"cache_invalidation_watch(regclass,text[],text[],text[])\"}",
                database.one("SELECT array_agg(oid::regprocedure::text) FROM pg_proc WHERE proname ="
                                + " 'cache_invalidation_watch'")
                        .replace("public.", ""));
        assertEquals(
                "t",
                database.one("SELECT has_function_privilege('writer',"
                        + " 'cache_invalidation_watch(regclass,text[],text[],text[])', 'EXECUTE')"));
        database.run(
                "REVOKE EXECUTE ON FUNCTION cache_invalidation_watch(regclass, text[], text[], text[]) FROM writer");
    }
}
