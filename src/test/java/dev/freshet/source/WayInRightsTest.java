package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may do what, what is kept of what users already had, and that no foreign code runs with Freshet's rights. */
class WayInRightsTest extends WayIn {

    @Test
    void a_writer_needs_rights_on_its_own_table_only() throws Exception {
        database.runAsSuperuser("CREATE SCHEMA others; GRANT USAGE ON SCHEMA others TO writer");
        run("CREATE TABLE app_rows (id int PRIMARY KEY, v int); INSERT INTO app_rows VALUES (1, 0); GRANT SELECT,"
                + " UPDATE, TRUNCATE ON app_rows TO writer");
        watch("app_rows", "app:{id}");
        try (Connection writer = database.connectAs("writer")) {
            TestDatabase.run(writer, "SET search_path = others; UPDATE public.app_rows SET v = v + 1");
            assertEquals(List.of("app:1"), queued());
            TestDatabase.run(writer, "TRUNCATE public.app_rows");
            assertEquals(List.of("app:1"), queued());
            for (String sql : List.of(
                    "SELECT * FROM freshet.inbox",
                    "INSERT INTO freshet.inbox (tag) VALUES ('x')",
                    "SELECT freshet.tend_watches()",
                    "SELECT public.enqueue_cache_invalidation('x')",
                    "SELECT public.cache_invalidation_watch('public.app_rows', ARRAY['x'])",
                    "CREATE TRIGGER x AFTER UPDATE ON public.app_rows EXECUTE FUNCTION freshet.watch_1()")) {
                assertTrue(refused(writer, sql).contains("permission denied"), sql);
            }
        }
    }

    @Test
    void a_watching_owner_reaches_no_table_of_ours() throws Exception {
        run("CREATE TABLE let_in (id int)");
        watch("let_in", "x");
        assertEquals("t", one("SELECT has_schema_privilege('freshet', 'USAGE')"));
        assertEquals(
                List.of(),
                TestDatabase.list(
                        app,
                        "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'freshet'::regnamespace AND relkind"
                                + " IN ('r', 'v', 'S') AND CASE relkind WHEN 'S' THEN has_sequence_privilege(oid,"
                                + " 'USAGE,SELECT,UPDATE') ELSE has_table_privilege(oid,"
                                + " 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE') END"));
        for (String sql : List.of(
                "SELECT freshet.tend_watches()",
                "SELECT freshet.write_watch_functions(1)",
                "SELECT freshet.step_aside('x')",
                "SELECT freshet.settle_in('x', 'pg_class', 'x')",
                "SELECT freshet.let_in_owner('let_in')")) {
            assertTrue(refused(sql).contains("permission denied"), sql);
        }
    }

    @Test
    void casts_and_operators_of_the_owners_types_never_run_with_our_rights() throws Exception {
        run("CREATE TYPE colour AS ENUM ('red', 'blue'); CREATE TYPE point2 AS (x int, y int); CREATE TABLE runs"
                + " (who text);CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO"
                + " public.runs VALUES (current_user); END';CREATE FUNCTION colour_text(colour) RETURNS text"
                + " LANGUAGE plpgsql AS 'BEGIN PERFORM public.note(); RETURN ''cast''; END'; CREATE CAST (colour"
                + " AS text) WITH FUNCTION colour_text(colour) AS IMPLICIT;CREATE FUNCTION colour_eq(colour,"
                + " colour) RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM public.note(); RETURN true; END';"
                + " CREATE OPERATOR = (LEFTARG = colour, RIGHTARG = colour, FUNCTION = colour_eq);CREATE FUNCTION"
                + " point_text(point2) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM public.note(); RETURN"
                + " ''cast''; END'; CREATE CAST (point2 AS text) WITH FUNCTION point_text(point2) AS"
                + " IMPLICIT;CREATE TABLE painted (id int PRIMARY KEY, c colour, p point2, later int); GRANT"
                + " INSERT ON runs TO PUBLIC");
        run("SELECT cache_invalidation_watch('painted', ARRAY['c:{c}', 'p:{p}', 'l:{later}'], ARRAY['c', 'p'])");
        queues("INSERT INTO painted VALUES (1, 'red', (1, 2))", "c:red", "p:(1,2)");
        queues("UPDATE painted SET c = 'blue'", "c:blue", "c:red", "p:(1,2)");
        run("ALTER TABLE painted ALTER COLUMN later TYPE colour USING 'red'");
        queues("UPDATE painted SET p = (3, 4)", "c:blue", "l:red", "p:(1,2)", "p:(3,4)");
        queues("TRUNCATE painted", "c:blue", "l:red", "p:(3,4)");
        assertEquals("0", one("SELECT count(*) FROM runs"));
    }

    @Test
    void truncate_does_not_run_the_owners_code_with_our_rights() throws Exception {
        run("CREATE TABLE trap (id int PRIMARY KEY); INSERT INTO trap VALUES (1)");
        watch("trap", "trap:{id}");
        // a function that claims to be immutable in a partial index is evaluated whenever anybody plans a query on the
        // table
        run("CREATE FUNCTION sly(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'; CREATE"
                + " INDEX ON trap (id) WHERE sly(1);CREATE OR REPLACE FUNCTION sly(int) RETURNS bool LANGUAGE"
                + " plpgsql IMMUTABLE AS 'BEGIN PERFORM set_config(''trap.ran_as'',"
                + " concat(current_setting(''trap.ran_as'', true), current_user, '' ''), false); RETURN true;"
                + " END'");
        List<String> warnings = warnings(app, "TRUNCATE trap");
        assertTrue(warnings.toString().contains("sly"), warnings::toString);
        assertFalse(String.valueOf(one("SELECT current_setting('trap.ran_as', true)"))
                .contains("freshet"));
        run("TABLE trap");
        assertTrue(one("SELECT current_setting('trap.ran_as', true)").startsWith("app"), "the trap works");
        assertEquals(java.util.Collections.singletonList(null), queued(), "skipped, and counted");
    }

    @Test
    void row_level_security_that_would_hide_rows_is_refused() throws Exception {
        run("CREATE TABLE hidden (id int PRIMARY KEY); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; INSERT INTO"
                + " hidden VALUES (1)");
        assertTrue(refused("SELECT cache_invalidation_watch('hidden', ARRAY['h:{id}'])")
                .contains("row-level security"));
        run("ALTER TABLE hidden DISABLE ROW LEVEL SECURITY");
        watch("hidden", "h:{id}");
        run("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; TRUNCATE hidden");
        assertEquals(
                java.util.Collections.singletonList(null),
                queued(),
                "no policy of theirs is evaluated: skipped, and counted");
    }

    @Test
    void a_new_owner_can_change_and_remove_the_watch() throws Exception {
        run("CREATE TABLE sold (id int PRIMARY KEY)");
        watch("sold", "s:{id}");
        database.runAsSuperuser("ALTER TABLE sold OWNER TO writer");
        database.run("GRANT EXECUTE ON FUNCTION cache_invalidation_unwatch(regclass) TO writer");
        assertTrue(refused("SELECT cache_invalidation_unwatch('sold')").contains("only the owner"));
        try (Connection writer = database.connectAs("writer")) {
            TestDatabase.run(writer, "INSERT INTO sold VALUES (1)");
            assertEquals(List.of("s:1"), queued());
            TestDatabase.run(writer, "SELECT cache_invalidation_unwatch('sold'); INSERT INTO sold VALUES (2)");
            assertEquals(List.of(), queued());
        }
        database.run(
                "REVOKE EXECUTE ON FUNCTION cache_invalidation_unwatch(regclass) FROM writer; REVOKE USAGE ON SCHEMA"
                        + " freshet FROM writer");
    }

    @Test
    void with_supabases_default_grants_anon_can_touch_nothing_of_ours() throws Exception {
        for (String role : List.of("anon", "authenticated", "service_role")) {
            role(role);
        }
        try (TestDatabase supabase = TestDatabase.empty()) {
            supabase.runAsSuperuser(
                    "ALTER DEFAULT PRIVILEGES FOR ROLE freshet IN SCHEMA public GRANT ALL ON TABLES TO anon,"
                            + " authenticated, service_role;ALTER DEFAULT PRIVILEGES FOR ROLE freshet IN SCHEMA public"
                            + " GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;"
                            + "ALTER DEFAULT PRIVILEGES FOR ROLE freshet IN SCHEMA public"
                            + " GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;"
                            + " GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role");
            supabase.migrate();
            String touchable =
                    "WITH r(role) AS (VALUES (?)) SELECT o FROM r, (SELECT c.oid::regclass::text AS o, c.relnamespace"
                            + " AS n, CASE c.relkind WHEN 'S' THEN has_sequence_privilege(role, c.oid,"
                            + " 'USAGE,SELECT,UPDATE') ELSE has_table_privilege(role, c.oid,"
                            + " 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER') END AS may"
                            + " FROM r, pg_class c"
                            + " WHERE relkind IN ('r', 'v', 'm', 'p', 'S') UNION ALL SELECT p.oid::regprocedure::text,"
                            + " pronamespace, has_function_privilege(role, p.oid, 'EXECUTE') FROM r, pg_proc p) x WHERE"
                            + " may AND n IN ('public'::regnamespace, 'freshet'::regnamespace) AND"
                            + " has_schema_privilege(role, n, 'USAGE') ORDER BY 1";
            assertEquals(List.of(), supabase.list(touchable, "anon"));
            assertEquals(List.of(), supabase.list(touchable, "authenticated"));
            assertEquals(
                    List.of(
                            "background_job_status",
                            "cache_entries",
                            "cache_entry_delete(text)",
                            "cache_entry_get(text)",
                            "cache_entry_put(text,jsonb,text[],double precision,timestamp with time zone)",
                            "cache_invalidate(text,jsonb,text)",
                            "cache_invalidate_keys(text[],text)",
                            "cache_invalidate_tags(text[],text)",
                            "cache_invalidation_fence()",
                            "cache_invalidation_latest",
                            "cache_invalidation_policies",
                            "cache_invalidation_policy(text,interval,boolean,text,integer)",
                            "cache_invalidation_policy_drop(text)",
                            "cache_invalidation_watches",
                            "cache_tag_rules",
                            "cache_tags_of_rule(text,jsonb)",
                            "enqueue_cache_invalidation(text)",
                            "enqueue_cache_invalidation(text[])",
                            "get_cache_invalidation_stats(text,integer)",
                            "manual_cache_invalidation(text,text)"),
                    supabase.list(touchable, "service_role").stream()
                            .map(s -> s.replace("public.", ""))
                            .toList());
            // grants made by operators survive the next version of a function
            supabase.run("GRANT EXECUTE ON FUNCTION public.enqueue_cache_invalidation(text) TO authenticated; UPDATE"
                    + " freshet.flyway_schema_history SET checksum = 0 WHERE version IS NULL");
            supabase.migrate();
            assertEquals(1, supabase.list(touchable, "authenticated").size());
            try (Connection service = supabase.connectAs("service_role")) {
                TestDatabase.run(
                        service,
                        "SELECT public.enqueue_cache_invalidation('x'); SELECT * FROM"
                                + " public.cache_invalidation_watches; SELECT * FROM public.cache_invalidation_latest");
            }
        }
    }

    @Test
    void functions_of_users_under_our_names_are_renamed_aside_and_tables_keep_their_grants() throws Exception {
        role("anon");
        try (TestDatabase theirs = TestDatabase.empty()) {
            theirs.runAsSuperuser("ALTER DATABASE " + theirs.name() + " SET search_path = public");
            theirs.run(
                    "CREATE TABLE cache_invalidation_queue (tag text, time_bucket timestamptz, invalidation_count int"
                            + " DEFAULT 1 NOT NULL, last_invalidated_at timestamptz,"
                            + " created_at timestamptz DEFAULT now(),"
                            + " PRIMARY KEY (tag, time_bucket));"
                            + "GRANT SELECT ON cache_invalidation_queue TO anon; INSERT"
                            + " INTO cache_invalidation_queue VALUES ('a', now(), 2, now() - interval '2 hours'), ('b',"
                            + " now(), 1, NULL), ('c', now(), 1, now());"
                            + "CREATE FUNCTION cleanup_old_cache_invalidations()"
                            + " RETURNS void LANGUAGE sql AS 'SELECT'; CREATE FUNCTION"
                            + " cleanup_old_cache_invalidations_before_freshet() RETURNS void LANGUAGE sql AS"
                            + " 'SELECT';CREATE FUNCTION enqueue_cache_invalidation(t text, n int DEFAULT 1)"
                            + " RETURNS int"
                            + " LANGUAGE sql AS 'SELECT 1'; CREATE VIEW cache_invalidation_latest AS SELECT tag FROM"
                            + " cache_invalidation_queue");
            theirs.migrate();
            assertEquals(
                    List.of(
                            "cleanup_old_cache_invalidations",
                            "cleanup_old_cache_invalidations_before_freshet",
                            "cleanup_old_cache_invalidations_before_freshet_2",
                            "enqueue_cache_invalidation_before_freshet"),
                    theirs.list("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND"
                            + " (proname LIKE 'cleanup%' OR proname LIKE '%before_freshet') ORDER BY 1"));
            assertEquals("2", theirs.one("SELECT total_invalidations FROM cache_invalidation_latest WHERE tag = 'a'"));
            assertEquals("3", theirs.one("SELECT count(*) FROM cache_invalidation_latest_before_freshet"));
            assertEquals("t", theirs.one("SELECT has_table_privilege('anon', 'cache_invalidation_queue', 'SELECT')"));
            assertEquals("1", theirs.one("SELECT cleanup_old_cache_invalidations()"));
            assertEquals(List.of("b", "c"), theirs.list("SELECT tag FROM cache_invalidation_queue ORDER BY 1"));
            theirs.run("UPDATE cache_invalidation_queue SET last_invalidated_at = now() - interval '2 hours',"
                    + " invalidation_count = 9");
            assertEquals(
                    "0",
                    theirs.one("SELECT cleanup_old_cache_invalidations()"),
                    "a row that a foreign upsert has woken stays");
        }
    }

    @Test
    void a_view_with_the_same_columns_may_stay() throws Exception {
        try (TestDatabase theirs = TestDatabase.empty()) {
            theirs.runAsSuperuser("ALTER DATABASE " + theirs.name() + " SET search_path = public");
            theirs.run("CREATE VIEW cache_invalidation_latest AS SELECT 'theirs'::text AS tag, now() AS"
                    + " last_invalidated_at, 1 AS total_invalidations, now() AS latest_created_at");
            theirs.migrate();
            assertEquals("theirs", theirs.one("SELECT tag FROM cache_invalidation_latest"));
        }
    }

    /** What generated functions use, for the types that they use it with: better matches than those of pg_catalog. */
    private static final List<String> SHADOWS = List.of(
            "FUNCTION evil.left(text, int) RETURNS text",
            "FUNCTION evil.concat(text) RETURNS text",
            "FUNCTION evil.concat(bool) RETURNS text",
            "FUNCTION evil.concat(char) RETURNS text",
            "FUNCTION evil.concat(text, int) RETURNS text",
            "FUNCTION evil.num_nulls(int) RETURNS int",
            "FUNCTION evil.num_nulls(int, text) RETURNS int",
            "FUNCTION evil.length(text) RETURNS int",
            "FUNCTION evil.rtrim(text, text) RETURNS text",
            "FUNCTION evil.unnest(text[]) RETURNS SETOF text",
            "FUNCTION evil.cardinality(text[]) RETURNS int",
            "FUNCTION evil.array_append(text[], text) RETURNS text[]",
            "AGGREGATE evil.array_agg(text) (SFUNC = evil.array_append, STYPE = text[])",
            "FUNCTION evil.current_setting(text) RETURNS text",
            "FUNCTION evil.set_config(text, text, bool) RETURNS text",
            "FUNCTION evil.pg_notify(text, text) RETURNS void",
            "FUNCTION evil.eq(record, record) RETURNS bool",
            "FUNCTION evil.eq(text, text) RETURNS bool",
            "FUNCTION evil.eq(int, int) RETURNS bool",
            "FUNCTION evil.eq(int8, int8) RETURNS bool",
            "OPERATOR evil.*= (LEFTARG = record, RIGHTARG = record, FUNCTION = evil.eq)",
            "OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq)",
            "OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.eq)",
            "OPERATOR evil.= (LEFTARG = int8, RIGHTARG = int8, FUNCTION = evil.eq)",
            "OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq)",
            "OPERATOR evil.|| (LEFTARG = text[], RIGHTARG = text, FUNCTION = evil.array_append)",
            "DOMAIN evil.text AS pg_catalog.text CHECK (evil.boom())",
            "DOMAIN evil.bool AS pg_catalog.bool CHECK (evil.boom())",
            "DOMAIN evil.regclass AS pg_catalog.oid CHECK (evil.boom())");

    @Test
    void shadows_in_the_writers_search_path_are_not_used() throws Exception {
        run("CREATE TABLE singly (id int PRIMARY KEY, name text, flag bool, code char(3)); CREATE TABLE doubly (LIKE"
                + " singly); CREATE TABLE parts (LIKE singly) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION"
                + " OF parts FOR VALUES IN (1); INSERT INTO singly VALUES (1, 'a', true, 'x');"
                + " INSERT INTO parts VALUES (1, 'a', true, 'x')");
        watch("singly", "s:{id}:{name}");
        watch("doubly", "d:{id}", "f:{flag}:{code}");
        watch("parts_1", "p:{id}", "f:{flag}:{code}");
        database.runAsSuperuser("CREATE SCHEMA evil AUTHORIZATION app; GRANT USAGE ON SCHEMA evil TO PUBLIC");
        String body = " LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''ran as %'', current_user; END'";
        run("CREATE FUNCTION evil.boom() RETURNS bool" + body);
        for (String shadow : SHADOWS) {
            run("CREATE " + shadow + (shadow.startsWith("FUNCTION") ? body : ""));
        }
        run("CREATE TEMP TABLE inbox (tag text); CREATE TEMP TABLE new_rows (id int);"
                + " CREATE TEMP TABLE old_rows (id int); SET search_path = evil, pg_temp, pg_catalog, public");
        try {
            queues("UPDATE singly SET name = 'b'", "s:1:a", "s:1:b");
            queues("INSERT INTO singly SELECT i, 'x' FROM pg_catalog.generate_series(2, 3) i", "s:2:x", "s:3:x");
            queues("UPDATE singly SET name = NULL", "s:1:b", "s:2:x", "s:3:x");
            queues("DELETE FROM singly WHERE id OPERATOR(pg_catalog.=) 1");
            queues("INSERT INTO doubly VALUES (1, 'a', true, 'x')", "d:1", "f:true:x");
            queues("UPDATE doubly SET flag = false", "d:1", "f:false:x", "f:true:x");
            queues(
                    "INSERT INTO doubly SELECT i, 'a', true, 'y' FROM pg_catalog.generate_series(2, 3) i",
                    "d:2",
                    "d:3",
                    "f:true:y");
            queues("UPDATE doubly SET flag = true", "d:1", "f:false:x", "f:true:x");
            queues("DELETE FROM doubly", "d:1", "d:2", "d:3", "f:true:x", "f:true:y");
            queues("UPDATE parts SET flag = false", "f:false:x", "f:true:x", "p:1");
            queues("TRUNCATE singly, parts", "f:false:x", "p:1");
        } finally {
            run("RESET search_path; DROP TABLE pg_temp.inbox, pg_temp.new_rows, pg_temp.old_rows");
        }
    }

    /** Where n has no such column, n.name is a call of a function name(record). */
    @Test
    void a_column_that_is_gone_is_not_looked_for_as_a_function() throws Exception {
        run("CREATE TABLE shop (id int PRIMARY KEY, name text)");
        watch("shop", "s:{name}", "i:{id}");
        run("ALTER TABLE shop DROP COLUMN name");
        database.runAsSuperuser("CREATE SCHEMA functions AUTHORIZATION app; GRANT USAGE ON SCHEMA functions TO PUBLIC");
        run("CREATE FUNCTION functions.name(record) RETURNS text LANGUAGE plpgsql AS"
                + " 'BEGIN RETURN current_user; END'; SET search_path = functions, public");
        queues("INSERT INTO shop VALUES (1)", (String) null);
        run("RESET search_path");
    }

    /** Whoever may make a watch may also use its functions in triggers of their own. */
    @Test
    void a_trigger_without_transition_tables_reads_no_view_with_our_rights() throws Exception {
        run("CREATE TABLE viewed (id int PRIMARY KEY, name text); CREATE TABLE other (id int)");
        watch("viewed", "v:{name}");
        String function = one("SELECT tgfoid::regproc FROM pg_trigger WHERE tgrelid = 'viewed'::regclass"
                + " AND tgname LIKE '%_insert'");
        run("CREATE TRIGGER own AFTER INSERT OR UPDATE OR DELETE ON other FOR EACH STATEMENT EXECUTE FUNCTION "
                + function + "(); CREATE TABLE ran_as (who text); GRANT ALL ON ran_as TO PUBLIC;"
                + " CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql AS"
                + " 'BEGIN INSERT INTO public.ran_as VALUES (current_user); RETURN current_user; END';"
                + " CREATE TEMP VIEW new_rows AS SELECT public.who() AS name;"
                + " CREATE TEMP VIEW old_rows AS SELECT public.who() AS name;"
                + " GRANT SELECT ON new_rows, old_rows TO PUBLIC");
        for (String sql : List.of("INSERT INTO other VALUES (1)", "UPDATE other SET id = 2", "DELETE FROM other")) {
            queues(sql, (String) null);
        }
        assertEquals(List.of(), database.list("SELECT who FROM ran_as"));
        run("TABLE new_rows; DROP VIEW pg_temp.new_rows, pg_temp.old_rows");
        assertEquals(List.of("app"), database.list("SELECT who FROM ran_as"), "the trap works");
    }

    @Test
    void truncate_does_not_run_a_cast_of_the_tables_type_with_our_rights() throws Exception {
        run("CREATE TABLE cast_away (id int, length int); INSERT INTO cast_away VALUES (1, 1)");
        watch("cast_away", "x:{length}");
        run("CREATE TABLE cast_as (who text); GRANT ALL ON cast_as TO PUBLIC;"
                + " CREATE FUNCTION cast_row(cast_away) RETURNS"
                + " text LANGUAGE plpgsql AS"
                + " 'BEGIN INSERT INTO public.cast_as VALUES (current_user); RETURN ''x''; END';"
                + " CREATE CAST (cast_away AS text) WITH FUNCTION cast_row(cast_away) AS IMPLICIT;"
                + " ALTER TABLE cast_away DROP COLUMN length");
        queues("TRUNCATE cast_away", (String) null);
        assertEquals(List.of(), database.list("SELECT who FROM cast_as"));
    }

    /** What another session has added to a child, and commits only while the TRUNCATE waits for the child. */
    @Test
    void truncate_looks_for_the_owners_code_once_nobody_can_add_any() throws Exception {
        run("CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1);"
                + " CREATE TABLE late (who text); GRANT ALL ON late TO PUBLIC;"
                + " CREATE FUNCTION sly_2(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'");
        watch("parent", "p:{id}");
        try (Connection other = database.connectAs("app")) {
            TestDatabase.run(
                    other,
                    "BEGIN; LOCK TABLE child IN ACCESS EXCLUSIVE MODE; CREATE INDEX ON child (id) WHERE"
                            + " sly_2(1); CREATE OR REPLACE FUNCTION sly_2(int) RETURNS bool LANGUAGE plpgsql"
                            + " IMMUTABLE AS 'BEGIN IF current_user <> ''app'' THEN PERFORM public.sly_note();"
                            + " END IF; RETURN true; END';"
                            + " CREATE FUNCTION sly_note() RETURNS void LANGUAGE sql AS"
                            + " 'INSERT INTO public.late VALUES (current_user)'");
            var truncate = java.util.concurrent.CompletableFuture.runAsync(() -> {
                try {
                    run("TRUNCATE ONLY parent");
                } catch (java.sql.SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            Eventually.is(
                    Duration.ofSeconds(20), this::somebodyWaitsForTheChild, () -> "it does not wait for the child");
            TestDatabase.run(other, "COMMIT");
            truncate.join();
        }
        assertEquals(java.util.Collections.singletonList(null), queued(), "skipped, and counted");
        assertEquals(List.of(), database.list("SELECT who FROM late"));
    }

    private boolean somebodyWaitsForTheChild() {
        try {
            return database.one("SELECT count(*) FROM pg_locks"
                            + " WHERE NOT granted AND relation = 'public.child'::regclass")
                    .equals("1");
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_watch_that_was_only_prepared_puts_no_trigger_on_a_table_of_ours() throws Exception {
        database.run("CREATE TABLE public.of_freshet (id int, secret text)");
        run("CREATE TABLE mine (id int)");
        watch("mine", "m:{id}");
        run("SELECT freshet.prepare_watch('public.of_freshet', ARRAY['leak:{secret}'], NULL, NULL)");
        database.list("SELECT problem FROM freshet.tend_watches()");
        assertEquals(
                List.of(),
                database.list("SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.of_freshet'::regclass"));
    }

    @Test
    void a_function_that_somebody_holds_does_not_end_the_tending() throws Exception {
        run("CREATE TABLE held (id int PRIMARY KEY)");
        watch("held", "h:{id}");
        String function = one("SELECT tgfoid::regproc FROM pg_trigger WHERE tgrelid = 'held'::regclass"
                + " AND tgname LIKE '%_insert'");
        run("CREATE VIEW holder AS SELECT 1 AS x WHERE " + function + "() IS NULL; DROP TABLE held");
        database.list("SELECT problem FROM freshet.tend_watches()");
        run("DROP VIEW holder");
    }

    @Test
    void what_would_take_minutes_is_refused() throws Exception {
        run("CREATE TABLE big (id int PRIMARY KEY)");
        assertTrue(refused("SELECT cache_invalidation_watch('big',"
                        + " (SELECT array_agg(i || ':{id}') FROM generate_series(1, 101) i))")
                .contains("more than 100 tag templates"));
        assertTrue(refused("SELECT cache_invalidation_watch('big', ARRAY[repeat('{id}', 251)])")
                .contains("more than 1000 characters"));
    }

    @Test
    void moments_that_nobody_could_wait_for_are_not_noted() throws Exception {
        run("CREATE TABLE timed (id int PRIMARY KEY, at timestamptz)");
        run("SELECT cache_invalidation_watch('timed', ARRAY['t:{id}'], NULL, ARRAY['at'])");
        run("SELECT freshet.note_moments(1, '{a,b,c}', ARRAY['infinity', '-infinity', now() + interval '1 day'],"
                + " '{1,1,1}')");
        assertEquals(List.of("c"), database.list("DELETE FROM freshet.moment_change RETURNING tag"));
    }

    @Test
    void everything_of_ours_that_runs_with_our_rights_pins_its_search_path() throws Exception {
        run("CREATE TABLE pinned (id int PRIMARY KEY)");
        watch("pinned", "p:{id}");
        assertEquals(
                List.of(),
                database.list("SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('public'::regnamespace,"
                        + " 'freshet'::regnamespace) AND prosecdef AND NOT coalesce(proconfig && ARRAY["
                        + "'search_path=pg_catalog, pg_temp', 'search_path=pg_catalog, freshet, pg_temp'], false)"));
        assertFalse(database.list("SELECT 1 FROM pg_proc WHERE proname ~ '^watch_[0-9]+' AND prosecdef")
                .isEmpty());
    }

    @Test
    void a_tag_is_the_same_whatever_the_writers_search_path() throws Exception {
        run("CREATE TABLE named (id int PRIMARY KEY, relation regclass)");
        watch("named", "r:{relation}");
        queues("INSERT INTO named VALUES (1, 'named')", "r:public.named");
        run("SET search_path = pg_catalog");
        queues("UPDATE public.named SET id = 2", "r:public.named");
        run("RESET search_path");
    }
}
