package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** What reaches freshet.inbox, and what does not. */
class WayInTest extends WayIn {

    @Test
    void every_kind_of_statement_queues_the_tags_of_its_rows_once() throws Exception {
        run("CREATE TABLE courses (id int PRIMARY KEY, slug text, title text, owner int)");
        watch("courses", "course:{id}", "course_controller:{id}:staff", "slug:{slug}");
        queues("INSERT INTO courses VALUES (1, 'one', 'x', 1)", "course:1", "course_controller:1:staff", "slug:one");
        queues("INSERT INTO courses VALUES (2, NULL, 'x', 1)", "course:2", "course_controller:2:staff");
        queues("UPDATE courses SET title = 'y' WHERE id = 1", "course:1", "course_controller:1:staff", "slug:one");
        queues(
                "UPDATE courses SET slug = 'uno' WHERE id = 1",
                "course:1",
                "course_controller:1:staff",
                "slug:one",
                "slug:uno");
        queues("UPDATE courses SET slug = 'zwei' WHERE id = 2", "course:2", "course_controller:2:staff", "slug:zwei");
        queues(
                "UPDATE courses SET id = 22 WHERE id = 2",
                "course:2",
                "course:22",
                "course_controller:2:staff",
                "course_controller:22:staff",
                "slug:zwei");
        queues("UPDATE courses SET title = title, slug = slug");
        queues("UPDATE courses SET title = title WHERE id = 1");
        queues("UPDATE courses SET title = 'q' WHERE id = 999");
        queues(
                "UPDATE courses SET title = CASE id WHEN 1 THEN 'new' ELSE title END",
                "course:1",
                "course_controller:1:staff",
                "slug:uno");
        queues("DELETE FROM courses WHERE id = 1", "course:1", "course_controller:1:staff", "slug:uno");
        queues("DELETE FROM courses WHERE id = 999");
        queues(
                "INSERT INTO courses SELECT i, 's', 'x', 1 FROM generate_series(30, 31) i",
                "course:30",
                "course:31",
                "course_controller:30:staff",
                "course_controller:31:staff",
                "slug:s");
        queues(
                "INSERT INTO courses VALUES (30, 's', 'new', 1) ON CONFLICT (id) DO UPDATE SET title = excluded.title",
                "course:30",
                "course_controller:30:staff",
                "slug:s");
        queues("INSERT INTO courses VALUES (30, 's', 'new', 1) ON CONFLICT (id) DO NOTHING");
        queues(
                "MERGE INTO courses c USING (VALUES (31, 'm')) s (id, title) ON c.id = s.id WHEN MATCHED THEN UPDATE"
                        + " SET title = s.title",
                "course:31",
                "course_controller:31:staff",
                "slug:s");
        queues(
                "MERGE INTO courses c USING (VALUES (31), (40)) s (id) ON c.id = s.id WHEN MATCHED THEN DELETE WHEN"
                        + " NOT MATCHED THEN INSERT VALUES (s.id, 'm')",
                "course:31",
                "course:40",
                "course_controller:31:staff",
                "course_controller:40:staff",
                "slug:m",
                "slug:s");
        queues(
                "WITH a AS (UPDATE courses SET title = 'a' WHERE id = 30), b AS (UPDATE courses SET title = 'b' WHERE"
                        + " id = 40) SELECT",
                "course:30",
                "course:40",
                "course_controller:30:staff",
                "course_controller:40:staff",
                "slug:m",
                "slug:s");
        queues(
                "TRUNCATE courses",
                "course:22",
                "course:30",
                "course:40",
                "course_controller:22:staff",
                "course_controller:30:staff",
                "course_controller:40:staff",
                "slug:m",
                "slug:s",
                "slug:zwei");
        queues("TRUNCATE courses");
    }

    @Test
    void copy_queues_as_well() throws Exception {
        run("CREATE TABLE copied (id int PRIMARY KEY)");
        watch("copied", "copied:{id}", "copied");
        app.unwrap(org.postgresql.PGConnection.class)
                .getCopyAPI()
                .copyIn("COPY copied FROM STDIN", new java.io.StringReader("1\n2\n"));
        assertEquals(List.of("copied", "copied:1", "copied:2"), queued());
    }

    @Test
    void watching_again_replaces_and_unwatching_removes() throws Exception {
        run("CREATE TABLE again (id int PRIMARY KEY)");
        watch("again", "a:{id}");
        watch("again", "b:{id}");
        queues("INSERT INTO again VALUES (1)", "b:1");
        String triggers = one("SELECT array_agg(oid ORDER BY oid) FROM pg_trigger WHERE tgrelid = 'again'::regclass");
        watch("again", "b:{id}");
        assertEquals(
                triggers,
                one("SELECT array_agg(oid ORDER BY oid) FROM pg_trigger WHERE tgrelid = 'again'::regclass"),
                "nothing new, nothing touched");
        assertEquals(
                "{b:{id}}",
                one("SELECT templates FROM cache_invalidation_watches WHERE table_name = 'again'")
                        .replace("\"", ""));
        run("ALTER TABLE again RENAME TO again_renamed");
        assertEquals("1", one("SELECT count(*) FROM cache_invalidation_watches WHERE table_name = 'again_renamed'"));
        queues("INSERT INTO again_renamed VALUES (2)", "b:2");
        queues("TRUNCATE again_renamed", "b:1", "b:2");
        run("SELECT cache_invalidation_unwatch('again_renamed')");
        queues("INSERT INTO again_renamed VALUES (3)");
        assertEquals(
                "0",
                one("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'again_renamed'::regclass AND NOT tgisinternal"));
        assertEquals("0", one("SELECT count(*) FROM cache_invalidation_watches WHERE table_name = 'again_renamed'"));
        assertTrue(warnings(app, "SELECT cache_invalidation_unwatch('again_renamed')")
                .toString()
                .contains("was not watched"));
    }

    @Test
    void only_the_columns_that_matter_and_those_in_tags_count_in_updates() throws Exception {
        run("CREATE TABLE cols (id int PRIMARY KEY, title text, views int, grp text); INSERT INTO cols VALUES (1,"
                + " 'a', 0, 'g'), (2, 'b', 0, 'g')");
        run("SELECT cache_invalidation_watch('cols', ARRAY['c:{id}', 'g:{grp}'], ARRAY['title'])");
        queues("UPDATE cols SET views = views + 1");
        queues("UPDATE cols SET views = views + 1 WHERE id = 1");
        queues("UPDATE cols SET title = 'c' WHERE id = 1", "c:1", "g:g");
        queues("UPDATE cols SET grp = 'h' WHERE id = 1", "c:1", "g:g", "g:h");
        queues("UPDATE cols SET title = CASE id WHEN 1 THEN 'b' ELSE 'c' END", "c:1", "c:2", "g:g", "g:h");
        queues("INSERT INTO cols VALUES (3, 'z', 0, NULL)", "c:3");
        queues("DELETE FROM cols WHERE id = 3", "c:3");
    }

    @Test
    void tables_without_a_key_and_columns_without_equality_are_compared_too() throws Exception {
        run("CREATE TABLE keyless (doc json, n int); INSERT INTO keyless VALUES ('{\"a\":1}', 1), ('{\"a\":1}',"
                + " 1), ('{}', 2)");
        watch("keyless", "k:{n}", "d:{doc}");
        queues("UPDATE keyless SET doc = doc");
        queues("UPDATE keyless SET doc = '{ }' WHERE n = 2", "d:{ }", "d:{}", "k:2");
        queues("UPDATE keyless SET n = n + 1", "d:{ }", "d:{\"a\":1}", "k:1", "k:2", "k:3");
        queues("TRUNCATE keyless", "d:{ }", "d:{\"a\":1}", "k:2", "k:3");
    }

    @Test
    void values_swapped_among_rows_are_changes() throws Exception {
        run("CREATE TABLE swapped (id int, v int); INSERT INTO swapped VALUES (1, 10), (2, 20)");
        run("SELECT cache_invalidation_watch('swapped', ARRAY['s:{id}', 'all'], ARRAY['v'])");
        queues("UPDATE swapped SET v = 30 - v", "all", "s:1", "s:2");
        run("SELECT cache_invalidation_watch('swapped', ARRAY['all'], ARRAY['v'])");
        queues("UPDATE swapped SET v = 30 - v", "all");
    }

    @Test
    void any_type_is_rendered_alike_in_every_session() throws Exception {
        run("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> ''); CREATE"
                + " DOMAIN flag AS bool;CREATE TYPE pair AS (a int, at timestamptz);CREATE TABLE typed (id int"
                + " PRIMARY KEY, b bool, f flag, d date, ts timestamp, tz timestamptz, i interval, r float8, by"
                + " bytea, m money, c char(5), e mood, s short, p pair, ar timestamptz[], ra tstzrange, j jsonb, x"
                + " xml, u uuid, n numeric(9,2), cls regclass, g int GENERATED ALWAYS AS (id * 2) STORED)");
        watch(
                "typed",
                "b:{b}",
                "f:{f}",
                "d:{d}",
                "ts:{ts}",
                "tz:{tz}",
                "i:{i}",
                "r:{r}",
                "by:{by}",
                "m:{m}",
                "c:{c}",
                "e:{e}",
                "s:{s}",
                "p:{p}",
                "ar:{ar}",
                "ra:{ra}",
                "j:{j}",
                "x:{x}",
                "u:{u}",
                "n:{n}",
                "cls:{cls}",
                "g:{g}");
        String insert = "INSERT INTO typed VALUES (1, true, false, date '2026-11-21', timestamp '2026-11-21 13:00',"
                + " timestamptz '2026-11-21 13:00+00', make_interval(days => 1, hours => 2), 0.1::float8 +"
                + " 0.2::float8, '\\xdeadbeef'::bytea, 12.5::numeric::money, 'ab', 'ok', 'abc', ROW(NULL,"
                + " timestamptz '2026-11-21 13:00+00')::pair, ARRAY[timestamptz '2026-11-21 13:00+00'],"
                + " tstzrange(timestamptz '2026-11-21 13:00+00', NULL), '{\"a\": 1}', '<a/>',"
                + " '00000000-0000-4000-8000-000000000000', 1.50, 'typed')";
        run(insert);
        List<String> here = queued();
        assertEquals(
                List.of(
                        "ar:{\"2026-11-21 13:00:00+00\"}",
                        "b:true",
                        "by:\\xdeadbeef",
                        "c:ab",
                        "cls:public.typed",
                        "d:2026-11-21",
                        "e:ok",
                        "f:false",
                        "g:2",
                        "i:1 day 02:00:00",
                        "j:{\"a\": 1}",
                        here.stream()
                                .filter(t -> t.startsWith("m:"))
                                .findFirst()
                                .orElseThrow(),
                        "n:1.50",
                        "p:(,\"2026-11-21 13:00:00+00\")",
                        "r:0.30000000000000004",
                        "ra:[\"2026-11-21 13:00:00+00\",)",
                        "s:abc",
                        "ts:2026-11-21 13:00:00",
                        "tz:2026-11-21 13:00:00+00",
                        "u:00000000-0000-4000-8000-000000000000",
                        "x:<a/>"),
                here);
        try (Connection other = database.connectAs("app")) {
            TestDatabase.run(
                    other,
                    "SET TimeZone = 'America/New_York'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 0;SET"
                            + " bytea_output = 'escape'; SET quote_all_identifiers = on; SET lc_monetary = 'C'; SET"
                            + " search_path = pg_catalog, public");
            // pgjdbc insists on an ISO DateStyle in what it sees, so another one is set inside a statement
            for (String sql : List.of("DELETE FROM typed", insert, "TRUNCATE typed")) {
                TestDatabase.run(
                        other,
                        "DO $do$ BEGIN SET LOCAL DateStyle = 'SQL, MDY'; " + sql
                                + "; SET LOCAL DateStyle = 'ISO, MDY'; END $do$");
                assertEquals(here, queued(), sql);
            }
        }
    }

    @Test
    void virtual_generated_columns_are_refused_because_triggers_cannot_see_them() throws Exception {
        run("CREATE TABLE virtual (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL)");
        assertTrue(refused("SELECT cache_invalidation_watch('virtual', ARRAY['v:{twice}'])")
                .contains("twice"));
        watch("virtual", "v:{id}");
        queues("INSERT INTO virtual VALUES (1)", "v:1");
        queues("UPDATE virtual SET id = 2", "v:1", "v:2");
    }

    @Test
    void a_column_that_matters_may_have_a_percent_sign_in_its_name() throws Exception {
        run("CREATE TABLE discounts (id int PRIMARY KEY, \"a%b\" int, \"%s\" int)");
        run("SELECT cache_invalidation_watch('discounts', ARRAY['d:{id}'], ARRAY['a%b'])");
        queues("INSERT INTO discounts VALUES (1, 2, 3)", "d:1");
        queues("UPDATE discounts SET \"%s\" = 4");
        queues("UPDATE discounts SET \"a%b\" = 5", "d:1");
    }

    @Test
    void odd_names_are_quoted() throws Exception {
        database.runAsSuperuser("CREATE SCHEMA \"dotted.Sch\"\"ema\" AUTHORIZATION app");
        String longest = "l".repeat(63);
        run("CREATE TABLE \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\" (\"Id\" bigint PRIMARY KEY, \"order\""
                + " text, \"{x}\" int, \"a\"\"b'c\\\" int, o int, n int, r int, t int, tag int, tags int, \""
                + longest + "\" int, \"percent%s\" int)");
        run("SELECT cache_invalidation_watch('\"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\"',"
                + " ARRAY['{Id}:{order}', 'x:{\"{x}\"}',"
                + " 'q:{a\"b''c\\}',"
                + " 'o:{o}{n}{r}{t}{tag}{tags}',"
                + " 'l:{" + longest + "}', '{{literal}}:%s:\\:''{percent%s}'])");
        String insert = "INSERT INTO \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\" VALUES ";
        String[] first = {"9007199254740993:ü 1", "x:1", "q:2", "o:345678", "l:9", "{literal}:%s:\\:'10"};
        queues(insert + "(9007199254740993, 'ü 1', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", first);
        queues("UPDATE \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\" SET o = o");
        queues(
                "UPDATE \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\" SET r = 0",
                "9007199254740993:ü 1",
                "x:1",
                "q:2",
                "o:345678",
                "o:340678",
                "l:9",
                "{literal}:%s:\\:'10");
        run(insert + "(2, 'b', 1, 2, 3, 4, 0, 6, 7, 8, 9, 10)");
        queued();
        queues(
                "UPDATE \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\" SET o = 1",
                "9007199254740993:ü 1",
                "2:b",
                "x:1",
                "q:2",
                "o:340678",
                "o:140678",
                "l:9",
                "{literal}:%s:\\:'10");
        queues(
                "TRUNCATE \"dotted.Sch\"\"ema\".\"Weird \"\"Table\"\"\"",
                "9007199254740993:ü 1",
                "2:b",
                "x:1",
                "q:2",
                "o:140678",
                "l:9",
                "{literal}:%s:\\:'10");
        run("CREATE TABLE \"" + longest + "\" (\"select\" int PRIMARY KEY)");
        watch(longest, "s:{select}");
        queues("INSERT INTO \"" + longest + "\" VALUES (1)", "s:1");
    }

    @Test
    void a_table_that_cannot_be_watched_is_refused_with_the_reason() throws Exception {
        run("CREATE TABLE plain (id int PRIMARY KEY, name text); CREATE VIEW seen AS SELECT * FROM plain; CREATE"
                + " TEMP TABLE fleeting (id int)");
        assertTrue(refused("SELECT cache_invalidation_watch('plain', ARRAY['x:{nosuch}'])")
                .matches("(?s).*nosuch.*id, name.*"));
        assertTrue(refused("SELECT cache_invalidation_watch('plain', ARRAY['x:{id}'], ARRAY['nosuch'])")
                .contains("nosuch"));
        assertTrue(refused("SELECT cache_invalidation_watch('plain', ARRAY['x:{ctid}'])")
                .contains("ctid"));
        for (String bad : List.of("x:{id", "x:id}", "x:{}", "{id}}")) {
            assertTrue(
                    refused("SELECT cache_invalidation_watch('plain', ARRAY['" + bad + "'])")
                            .contains("brace"),
                    bad);
        }
        assertTrue(refused("SELECT cache_invalidation_watch('plain', '{}')").contains("no tag templates"));
        assertTrue(refused("SELECT cache_invalidation_watch('plain', NULL)").contains("no tag templates"));
        assertTrue(refused("SELECT cache_invalidation_watch('plain', ARRAY['a', NULL])")
                .contains("empty or null"));
        assertTrue(refused("SELECT cache_invalidation_watch('plain', ARRAY[repeat('a', 257)])")
                .contains("256"));
        assertTrue(
                refused("SELECT cache_invalidation_watch('seen', ARRAY['x'])").contains("view"));
        assertTrue(refused("SELECT cache_invalidation_watch('fleeting', ARRAY['x'])")
                .contains("temporary"));
        assertTrue(
                refused("SELECT cache_invalidation_watch('nosuch', ARRAY['x'])").contains("nosuch"));
        assertTrue(refused("SELECT cache_invalidation_watch('pg_class', ARRAY['x'])")
                .contains("owner"));
        try (Connection superuser = database.connectAs("postgres");
                Connection writer = database.connectAs("writer");
                Connection freshet = database.connect()) {
            assertTrue(refused(superuser, "SELECT cache_invalidation_watch('pg_class', ARRAY['x'])")
                    .contains("PostgreSQL"));
            assertTrue(refused(freshet, "SELECT cache_invalidation_watch('freshet.inbox', ARRAY['x'])")
                    .contains("Freshet"));
            assertTrue(refused(freshet, "SELECT cache_invalidation_watch('cache_invalidation_queue', ARRAY['x'])")
                    .contains("Freshet"));
            assertTrue(refused(writer, "SELECT cache_invalidation_watch('plain', ARRAY['x'])")
                    .contains("permission denied"));
            database.run(
                    "GRANT EXECUTE ON FUNCTION cache_invalidation_watch(regclass, text[], text[], text[]) TO writer");
            assertTrue(refused(writer, "SELECT cache_invalidation_watch('plain', ARRAY['x'])")
                    .contains("only the owner"));
        }
        assertEquals("0", one("SELECT count(*) FROM cache_invalidation_watches WHERE table_name IN ('plain', 'seen')"));
    }

    @Test
    void a_tag_that_is_too_long_or_empty_is_skipped_and_counted() throws Exception {
        run("CREATE TABLE lengths (id int PRIMARY KEY, name text)");
        watch("lengths", "l:{id}", "{name}");
        queues("INSERT INTO lengths VALUES (1, repeat('x', 257))", null, "l:1");
        queues("UPDATE lengths SET name = ''", null, null, "l:1");
        queues(
                "INSERT INTO lengths VALUES (2, repeat('ü', 256)), (3, repeat('y', 100000))",
                null,
                "l:2",
                "l:3",
                "ü".repeat(256));
        queues("TRUNCATE lengths", null, null, "l:1", "l:2", "l:3", "ü".repeat(256));
        watch("lengths", "{name}");
        queues("INSERT INTO lengths VALUES (4, repeat('x', 257))", (String) null);
        queues("INSERT INTO lengths VALUES (5, '')", (String) null);
    }

    @Test
    void tags_queued_by_hand_have_1_to_256_characters() throws Exception {
        queues("SELECT enqueue_cache_invalidation('by hand')", "by hand");
        queues("SELECT enqueue_cache_invalidation(ARRAY['b', 'a', 'b'])", "a", "b");
        queues("SELECT enqueue_cache_invalidation('{}'::text[]), enqueue_cache_invalidation(NULL::text[])");
        queues("SELECT enqueue_cache_invalidation(repeat('é', 256))", "é".repeat(256));
        assertTrue(refused("SELECT enqueue_cache_invalidation('')").contains("1 to 256 characters; this one has 0"));
        assertTrue(
                refused("SELECT enqueue_cache_invalidation(repeat('x', 257))").contains("has 257"));
        assertTrue(refused("SELECT enqueue_cache_invalidation(NULL::text)").contains("null"));
        assertTrue(
                refused("SELECT enqueue_cache_invalidation(ARRAY['good', ''])").contains("has 0"));
        assertEquals(List.of(), queued());
    }

    @Test
    void a_rolled_back_change_queues_nothing() throws Exception {
        run("CREATE TABLE undone (id int PRIMARY KEY)");
        watch("undone", "u:{id}");
        run("BEGIN; INSERT INTO undone VALUES (1); SELECT enqueue_cache_invalidation('u'); ROLLBACK");
        assertEquals(List.of(), queued());
        run("BEGIN; INSERT INTO undone VALUES (3); SAVEPOINT s; INSERT INTO undone VALUES (2); ROLLBACK TO s; COMMIT");
        assertEquals(List.of("u:3"), queued());
    }

    @Test
    void cascades_queue_the_tags_of_the_children() throws Exception {
        run("CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int PRIMARY KEY, parent int"
                + " REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE)");
        watch("parents", "p:{id}");
        watch("children", "c:{id}:{parent}");
        run("INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (10, 1), (11, 1), (12, 2)");
        queued();
        queues("DELETE FROM parents WHERE id = 1", "p:1", "c:10:1", "c:11:1");
        queues("UPDATE parents SET id = 3", "p:2", "p:3", "c:12:2", "c:12:3");
        queues("TRUNCATE parents CASCADE", "p:3", "c:12:3");
    }

    @Test
    void a_statement_with_very_many_tags_queues_them_all() throws Exception {
        run("CREATE TABLE many (id int PRIMARY KEY, v int)");
        watch("many", "m:{id}");
        for (String sql : List.of(
                "INSERT INTO many SELECT i FROM generate_series(1, 10001) i",
                "UPDATE many SET v = 1",
                "DELETE FROM many")) {
            run(sql);
            assertEquals("10001", database.one("SELECT count(DISTINCT tag) FROM freshet.inbox"), sql);
            assertEquals(
                    "10001",
                    database.one("WITH d AS (DELETE FROM freshet.inbox RETURNING 1) SELECT count(*) FROM d"),
                    sql);
        }
    }

    @Test
    void a_dropped_or_changed_column_never_makes_a_write_fail() throws Exception {
        run("CREATE TABLE altered (id int PRIMARY KEY, a text, b text)");
        watch("altered", "a:{a}", "b:{b}");
        run("INSERT INTO altered VALUES (1, 'x', 'y')");
        assertEquals(List.of("a:x", "b:y"), queued());
        run("ALTER TABLE altered DROP COLUMN a; ALTER TABLE altered ADD COLUMN c int");
        List<String> warnings = warnings(app, "UPDATE altered SET c = 1");
        assertTrue(warnings.size() == 1 && warnings.get(0).contains("could not name the tags"), warnings::toString);
        assertEquals(Collections.singletonList(null), queued());
        run("INSERT INTO altered VALUES (2), (3); TRUNCATE altered");
        assertEquals(3 - 1, queued().size());
        assertTrue(one("SELECT problem FROM cache_invalidation_watches WHERE table_name = 'altered'")
                .contains("{a}"));
        database.list("SELECT problem FROM freshet.tend_watches()");
        queues("INSERT INTO altered VALUES (4, 'y')", "b:y");
        run("ALTER TABLE altered RENAME COLUMN b TO bb");
        run("INSERT INTO altered VALUES (5, 'y')");
        watch("altered", "b:{bb}");
        queued();
        queues("INSERT INTO altered VALUES (6, 'z')", "b:z");
        assertEquals(null, one("SELECT problem FROM cache_invalidation_watches WHERE table_name = 'altered'"));
        run("ALTER TABLE altered ALTER COLUMN bb TYPE timestamptz USING '2026-01-01 00:00+00'");
        database.list("SELECT problem FROM freshet.tend_watches()");
        queues(
                "UPDATE altered SET bb = '2026-01-01 12:00+00' WHERE id = 6",
                "b:2026-01-01 00:00:00+00",
                "b:2026-01-01 12:00:00+00");
    }

    @Test
    void a_statement_timeout_is_not_swallowed() throws Exception {
        run("CREATE TABLE patient (id int PRIMARY KEY)");
        watch("patient", "p:{id}");
        run("BEGIN; SET LOCAL statement_timeout = '20ms'");
        assertTrue(refused("INSERT INTO patient SELECT generate_series(1, 1000000)")
                .contains("timeout"));
        run("ROLLBACK");
        assertEquals(List.of(), queued());
    }

    @Test
    void with_session_replication_role_replica_nothing_is_queued_as_documented() throws Exception {
        run("CREATE TABLE replicated (id int PRIMARY KEY)");
        watch("replicated", "r:{id}");
        database.runAsSuperuser("SET session_replication_role = replica; INSERT INTO replicated VALUES (1)");
        assertEquals(List.of(), queued());
    }

    @Test
    void a_dropped_table_takes_its_functions_with_it() throws Exception {
        run("CREATE TABLE brief (id int PRIMARY KEY)");
        watch("brief", "b:{id}");
        String number = database.one("SELECT number FROM freshet.watch WHERE watched = 'brief'::regclass");
        run("DROP TABLE brief");
        database.list("SELECT problem FROM freshet.tend_watches()");
        assertEquals(
                "0",
                database.one("SELECT count(*) FROM pg_proc WHERE proname IN ('watch_" + number + "', 'watch_" + number
                        + "_row', 'watch_" + number + "_truncate')"));
        assertEquals("0", database.one("SELECT count(*) FROM freshet.watch WHERE number = " + number));
    }

    @Test
    void thirty_two_open_writers_of_one_tag_do_not_wait_for_each_other() throws Exception {
        run("CREATE TABLE hot (id int PRIMARY KEY, g int, v int); INSERT INTO hot SELECT i, 1, 0 FROM"
                + " generate_series(1, 32) i");
        watch("hot", "hot:{g}");
        List<Connection> open = new ArrayList<>();
        try {
            for (int i = 1; i <= 32; i++) {
                Connection c = database.connectAs("app");
                open.add(c);
                // would fail at once if it had to wait for one of the writers still open before it
                TestDatabase.run(c, "SET lock_timeout = '1ms'; BEGIN; UPDATE hot SET v = v + 1 WHERE id = " + i);
            }
            assertEquals(
                    "0",
                    database.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM"
                            + " pg_database WHERE datname = current_database())"));
            assertEquals(List.of(), queued());
            Collections.reverse(open);
            for (Connection c : open) {
                TestDatabase.run(c, "COMMIT");
            }
        } finally {
            for (Connection c : open) {
                c.close();
            }
        }
        assertEquals(IntStream.range(0, 32).mapToObj(i -> "hot:1").collect(Collectors.toList()), queued());
    }

    @Test
    void a_trigger_notifies_only_while_an_instance_sleeps_and_without_rows_takes_no_transaction_id() throws Exception {
        run("CREATE TABLE quiet (id int PRIMARY KEY, v int); INSERT INTO quiet VALUES (1, 1)");
        watch("quiet", "q:{id}");
        run("BEGIN");
        run("UPDATE quiet SET v = v WHERE false");
        assertEquals(null, one("SELECT pg_current_xact_id_if_assigned()"));
        run("COMMIT");
        try (Connection listener = database.connect()) {
            TestDatabase.run(listener, "LISTEN freshet_live");
            run("UPDATE quiet SET v = 2");
            assertEquals(0, notifications(listener));
            database.run("SELECT setval('freshet.asleep_until', extract(epoch FROM now())::bigint + 60)");
            run("UPDATE quiet SET v = 3");
            assertEquals(1, notifications(listener));
        }
    }

    private static int notifications(Connection listener) throws Exception {
        TestDatabase.run(listener, "SELECT 1"); // what was committed before has arrived with its answer
        return listener.unwrap(PGConnection.class).getNotifications().length;
    }

    @Test
    void a_watch_made_anew_in_an_open_transaction_keeps_its_functions() throws Exception {
        run("CREATE TABLE retied (id int PRIMARY KEY)");
        watch("retied", "r:{id}");
        dropTriggersOf("retied");
        try (Connection deployment = database.connectAs("app")) {
            TestDatabase.run(deployment, "BEGIN; SELECT cache_invalidation_watch('retied', ARRAY['r:{id}'])");
            database.list("SELECT problem FROM freshet.tend_watches()");
            TestDatabase.run(deployment, "COMMIT");
        }
        queues("INSERT INTO retied VALUES (1)", "r:1");
    }

    @Test
    void watches_whose_triggers_a_restore_creates_last_keep_their_functions() throws Exception {
        run("CREATE TABLE restored (id int PRIMARY KEY)");
        watch("restored", "r:{id}");
        List<String> triggers = database.list(
                "SELECT pg_get_triggerdef(oid) FROM pg_trigger" + " WHERE tgrelid = 'restored'::regclass");
        dropTriggersOf("restored");
        // functions and rows come first, and Freshet tends its watches in between
        database.list("SELECT problem FROM freshet.tend_watches()");
        run("CREATE TABLE another (id int)");
        watch("another", "another");
        run(String.join(";", triggers));
        queues("INSERT INTO restored VALUES (1)", "r:1");
        database.list("SELECT problem FROM freshet.tend_watches()");
        String since = "SELECT without_triggers_since FROM freshet.watch WHERE watched = 'restored'::regclass";
        assertEquals(null, database.one(since));
        dropTriggersOf("restored");
        database.list("SELECT problem FROM freshet.tend_watches()");
        database.run("UPDATE freshet.watch SET without_triggers_since = now() - interval '25 hours'"
                + " WHERE watched = 'restored'::regclass");
        database.list("SELECT problem FROM freshet.tend_watches()");
        assertEquals(List.of(), database.list(since), "not for ever");
    }

    @Test
    void watching_again_waits_for_an_unwatch_that_is_under_way() throws Exception {
        run("CREATE TABLE contested (id int PRIMARY KEY)");
        watch("contested", "c:{id}");
        try (Connection goes = database.connectAs("app");
                Connection comes = database.connectAs("app")) {
            TestDatabase.run(goes, "BEGIN; SELECT cache_invalidation_unwatch('contested')");
            CompletableFuture<Void> again = CompletableFuture.runAsync(() -> {
                try {
                    TestDatabase.run(comes, "SELECT cache_invalidation_watch('contested', ARRAY['c:{id}'])");
                } catch (java.sql.SQLException e) {
                    throw new AssertionError(e);
                }
            });
            Eventually.is(java.time.Duration.ofSeconds(30), () -> waits(), () -> "the second waits for the first");
            TestDatabase.run(goes, "COMMIT");
            again.join();
        }
        queues("INSERT INTO contested VALUES (1)", "c:1");
    }

    private boolean waits() {
        try {
            return !database.list("SELECT pid FROM pg_locks WHERE NOT granted").isEmpty();
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }

    private void dropTriggersOf(String table) throws Exception {
        run(one("SELECT string_agg(format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), ';') FROM pg_trigger"
                + " WHERE tgrelid = '" + table + "'::regclass AND NOT tgisinternal"));
    }

    @Test
    void the_old_clean_up_removes_a_limited_number_and_waits_for_nobody() throws Exception {
        database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket, handed_count, last_invalidated_at)"
                + " SELECT 'old:' || i, 'epoch', 1, now() - interval '2 hours' FROM generate_series(1, 5003) i");
        try (Connection holder = database.connect()) {
            TestDatabase.run(holder, "BEGIN; SELECT FROM cache_invalidation_queue WHERE tag = 'old:1' FOR UPDATE");
            String cleanUp = "SELECT cleanup_old_cache_invalidations()";
            assertEquals("5000", database.one(cleanUp));
            assertEquals("2", database.one(cleanUp), "all but the locked one");
            TestDatabase.run(holder, "ROLLBACK");
            assertEquals("1", database.one(cleanUp));
        }
    }

    @Test
    void a_truncate_whose_snapshot_may_miss_rows_says_so_and_is_counted() throws Exception {
        run("CREATE TABLE emptied (id int PRIMARY KEY)");
        watch("emptied", "e:{id}");
        for (String isolation : List.of("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")) {
            run("DELETE FROM emptied; INSERT INTO emptied VALUES (1), (2)");
            try (Connection other = database.connectAs("app")) {
                TestDatabase.run(other, "BEGIN ISOLATION LEVEL " + isolation + "; SELECT count(*) FROM emptied");
                run("INSERT INTO emptied VALUES (7)");
                queued();
                List<String> warnings = warnings(other, "TRUNCATE emptied");
                TestDatabase.run(other, "COMMIT");
                if (isolation.equals("READ COMMITTED")) {
                    assertEquals(List.of(), warnings);
                    assertEquals(List.of("e:1", "e:2", "e:7"), queued());
                } else {
                    assertEquals(1, warnings.size(), isolation);
                    assertTrue(warnings.get(0).contains(isolation.toLowerCase()), warnings.get(0));
                    assertEquals(Collections.singletonList(null), queued(), "a skipped one");
                }
            }
        }
    }

    @Test
    void a_truncate_of_a_table_of_ours_names_what_its_snapshot_shows() throws Exception {
        database.run("CREATE TABLE public.ours (id int PRIMARY KEY);"
                + " SELECT cache_invalidation_watch('public.ours', ARRAY['o:{id}']);"
                + " INSERT INTO public.ours VALUES (1)");
        queued();
        database.run("BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE public.ours; COMMIT");
        assertEquals(Arrays.asList(null, "o:1"), queued(), "what it sees, and a skipped one");
    }

    @Test
    void columns_may_be_called_like_the_places_of_our_functions() throws Exception {
        run("CREATE TABLE places (id int PRIMARY KEY, \"{new_tags}\" text, \"%1$s\" text, due timestamptz)");
        run("SELECT cache_invalidation_watch('places', ARRAY['p:{\"{new_tags}\"}:{\"%1$s\"}'],"
                + " ARRAY['{new_tags}', '%1$s'], ARRAY['due'])");
        queues("INSERT INTO places VALUES (1, 'a', 'b', now() + interval '1 day')", "p:a:b");
        queues("INSERT INTO places VALUES (2, 'c', 'd'), (3, 'e', 'f')", "p:c:d", "p:e:f");
        queues("UPDATE places SET \"%1$s\" = 'x' WHERE id > 1", "p:c:d", "p:c:x", "p:e:f", "p:e:x");
        queues("TRUNCATE places", "p:a:b", "p:c:x", "p:e:x");
        run("CREATE TABLE controls (id int PRIMARY KEY); INSERT INTO controls VALUES (1)");
        watch("controls", "100%:\u0001:%s:{id}");
        queues("TRUNCATE controls", "100%:\u0001:%s:1");
    }

    @Test
    void a_watch_that_cannot_be_tended_does_not_keep_others_from_it() throws Exception {
        run("CREATE TABLE spoilt (id int PRIMARY KEY); CREATE TABLE without (id int PRIMARY KEY, name text);"
                + " CREATE TABLE changed (id int PRIMARY KEY, name text)");
        watch("spoilt", "s:{id}");
        watch("without", "e:{name}");
        watch("changed", "c:{id}", "c:{name}");
        String function = one("SELECT tgfoid::regproc FROM pg_trigger WHERE tgrelid = 'spoilt'::regclass"
                + " AND tgname LIKE '%_insert'");
        database.runAsSuperuser("DROP FUNCTION " + function + "() CASCADE; CREATE FUNCTION " + function
                + "() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION " + function + "() OWNER TO freshet");
        run("ALTER TABLE without DROP COLUMN name; ALTER TABLE changed DROP COLUMN name");
        List<String> problems = database.list("SELECT watched || ': ' || problem FROM freshet.tend_watches()");
        assertTrue(problems.toString().contains("spoilt: cannot change return type"), problems::toString);
        queues("INSERT INTO without VALUES (1)");
        queues("INSERT INTO changed VALUES (1)", "c:1");
        database.run("DROP FUNCTION " + function + "()");
        run("SELECT cache_invalidation_unwatch('spoilt')");
    }
}
