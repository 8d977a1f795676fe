package dev.freshet.deliver.fence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.SqlFile;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGStatement;

/**
 * Which changes belong to a transaction that requested a fence, and what has become of them: the statements alone,
 * without an instance.
 */
class FenceTest {
    private static TestDatabase database;
    private Connection app;
    private Connection freshet;

    @BeforeAll
    static void migrate() throws Exception {
        database = TestDatabase.migrated();
        database.run("CREATE TABLE public.page (id int PRIMARY KEY, title text);"
                + " SELECT public.cache_invalidation_watch('page', ARRAY['page:{id}'])");
    }

    @BeforeEach
    void open() throws SQLException {
        app = database.connect();
        freshet = database.connect();
        TestDatabase.run(freshet, """
            TRUNCATE freshet.inbox, public.cache_invalidation_queue, freshet.delivery, freshet.dead_letter,
                     freshet.target, freshet.fence, freshet.fence_inbox,
                         freshet.fence_queue, freshet.fence_delivery, page;
            INSERT INTO freshet.target (name) VALUES ('x')\
            """);
        app.setAutoCommit(false);
    }

    @AfterEach
    void close() throws SQLException {
        app.close();
        freshet.close();
    }

    @Test
    void a_fence_covers_all_changes_of_its_transaction_and_no_others() throws SQLException {
        queue("before");
        database.run("SELECT enqueue_cache_invalidation('of another')");
        String token = fence();
        queue("after", "after too");
        app.commit();
        database.run("SELECT enqueue_cache_invalidation('of another, later')");
        assertEquals(List.of("after", "after too", "before"), waitsFor(token));
    }

    @Test
    void a_fence_does_not_cover_what_others_have_open_or_commit_meanwhile() throws SQLException {
        queue("mine");
        String token = fence();
        try (Connection other = database.connect();
                Connection third = database.connect()) {
            other.setAutoCommit(false);
            TestDatabase.run(other, "SELECT enqueue_cache_invalidation('open')");
            third.setAutoCommit(false);
            TestDatabase.run(third, "SAVEPOINT s; SELECT enqueue_cache_invalidation('committed'); RELEASE s");
            third.commit();
            app.commit();
            other.commit();
        }
        assertEquals(List.of("mine"), waitsFor(token));
    }

    @Test
    void a_fence_covers_savepoints_and_exception_blocks_unless_they_were_rolled_back() throws SQLException {
        TestDatabase.run(app, "SAVEPOINT a; SELECT enqueue_cache_invalidation('in a')");
        String token = fence();
        TestDatabase.run(app, "SAVEPOINT b; SELECT enqueue_cache_invalidation('in b'); RELEASE a");
        TestDatabase.run(app, "SAVEPOINT c; SELECT enqueue_cache_invalidation('taken back'); ROLLBACK TO c");
        TestDatabase.run(app, """
            DO $$ BEGIN
                FOR i IN 1..70 LOOP
                    BEGIN
                        PERFORM enqueue_cache_invalidation('block ' || i);
                        IF i % 7 > 0 THEN RAISE 'no'; END IF;
                    EXCEPTION WHEN raise_exception THEN NULL; END;
                END LOOP;
            END $$\
            """);
        app.commit();
        assertEquals(
                List.of(
                        "block 14",
                        "block 21",
                        "block 28",
                        "block 35",
                        "block 42",
                        "block 49",
                        "block 56",
                        "block 63",
                        "block 7",
                        "block 70",
                        "in a",
                        "in b"),
                waitsFor(token));
    }

    @Test
    void a_fence_covers_watched_tables_and_upserts_of_the_replaced_system() throws SQLException {
        upsert(app, "old");
        TestDatabase.run(app, "INSERT INTO page VALUES (1, 'a')");
        String token = fence();
        TestDatabase.run(app, "UPDATE page SET title = 'b'");
        upsert(app, "old");
        upsert(app, "after");
        app.commit();
        try (Connection other = database.connect()) {
            upsert(other, "old");
            upsert(other, "of another");
        }
        assertEquals(List.of("after", "old", "page:1"), waitsFor(token));
        assertEquals(List.of("2"), database.list("SELECT count FROM freshet.fence_queue WHERE tag = 'old'"));
    }

    @Test
    void a_fence_covers_what_deferred_triggers_write_at_commit() throws SQLException {
        database.run("""
            DROP TABLE IF EXISTS public.late; DROP FUNCTION IF EXISTS public.later();
            CREATE TABLE public.late (depth int);
            CREATE FUNCTION public.later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.depth > 0 THEN INSERT INTO public.late VALUES (NEW.depth - 1);
                ELSE PERFORM enqueue_cache_invalidation('written at commit'); END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER later AFTER INSERT ON public.late DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION public.later()\
            """);
        for (int depth = 0; depth < 2; depth++) {
            String token = fence();
            TestDatabase.run(app, "INSERT INTO public.late VALUES (" + depth + ")");
            app.commit();
            assertEquals(List.of("written at commit"), waitsFor(token), "a trigger of " + depth + " triggers");
        }
    }

    @Test
    void constraints_set_immediate_hide_no_later_change_from_a_fence() throws SQLException {
        String token = fence();
        queue("before");
        for (int i = 0; i < 4; i++) {
            TestDatabase.run(app, "SET CONSTRAINTS ALL IMMEDIATE");
        }
        queue("after");
        TestDatabase.run(app, "SET CONSTRAINTS ALL DEFERRED");
        TestDatabase.run(app, "SET CONSTRAINTS ALL IMMEDIATE");
        queue("at last");
        app.commit();
        assertEquals(List.of("after", "at last", "before"), waitsFor(token));
    }

    @Test
    void a_transaction_has_one_token_and_its_snapshot_hides_none_of_its_changes() throws SQLException {
        TestDatabase.run(app, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
        queue("one");
        String token = fence();
        assertEquals(token, fence());
        queue("two");
        app.commit();
        assertEquals(List.of("one", "two"), waitsFor(token));
        assertNotEquals(token, fence());
        app.commit();
    }

    @Test
    void a_token_is_open_until_the_commit_and_known_from_then_on() throws SQLException {
        String token = fence();
        assertEquals("open", state(token));
        assertEquals(List.of(), rowsOf(token));
        app.commit();
        assertEquals("over", state(token));
        assertEquals("fresh", standing(token), "it changed nothing");
        String rolledBack = fence();
        app.rollback();
        assertEquals("over", state(rolledBack));
        assertEquals(List.of(), rowsOf(rolledBack));
    }

    @Test
    void a_token_of_a_rolled_back_savepoint_is_unknown() throws SQLException {
        TestDatabase.run(app, "SAVEPOINT s");
        String gone = fence();
        TestDatabase.run(app, "ROLLBACK TO s");
        String token = fence();
        assertNotEquals(gone, token);
        assertEquals("open", state(gone));
        app.commit();
        assertEquals("over", state(gone));
        assertEquals(List.of(), rowsOf(gone));
        assertEquals("fresh", standing(token));
    }

    @Test
    void forged_tokens_and_those_of_other_databases_are_unknown() throws Exception {
        String token = fence();
        String[] piece = token.split("-");
        for (String forged : List.of(
                "",
                "x",
                piece[0],
                token + "0",
                token.substring(1),
                piece[0] + "-" + piece[1] + "-" + "0".repeat(32),
                (Long.parseLong(piece[0]) + 1) + "-" + piece[1] + "-" + piece[2],
                token.toUpperCase(),
                "9".repeat(40))) {
            assertEquals("unknown", forged.equals(token) ? "unknown" : state(forged), forged);
        }
        try (TestDatabase copy = TestDatabase.migrated()) {
            copy.run("UPDATE freshet.fence_secret SET secret = '\\x"
                    + database.one("SELECT encode(secret, 'hex') FROM freshet.fence_secret") + "'");
            assertEquals("unknown", copy.one("SELECT freshet.fence_state(?)", token), "the secret alone is not enough");
        }
        app.rollback();
    }

    @Test
    void a_future_transaction_is_not_open() throws SQLException {
        assertEquals("f", database.one("SELECT freshet.is_open(pg_current_xact_id()::text::bigint + 1000000)"));
        assertEquals(
                "t",
                database.one("SELECT freshet.is_own((pg_current_xact_id()::text::bigint % 4294967296),"
                        + " pg_current_xact_id()::text::bigint)"));
        assertEquals("f", database.one("SELECT freshet.is_own(5, 4294967296 * 3 + 4)"), "it is far in the future");
        assertEquals("f", database.one("SELECT freshet.is_own(4294967290, 4294967296 * 3 + 4)"), "it began before");
    }

    @Test
    void a_fence_is_fresh_once_every_target_has_been_called() throws SQLException {
        database.run("INSERT INTO freshet.target (name) VALUES ('y'), ('jobs only')".replace("jobs only", "jobs"));
        database.run("UPDATE freshet.target SET takes_queue = false WHERE name = 'jobs'");
        queue("a");
        String token = fence();
        app.commit();
        assertEquals("outstanding", standing(token));
        fold();
        assertEquals("outstanding", standing(token));
        handOver(0);
        deliver("x", "delivered");
        assertEquals("outstanding", standing(token));
        assertEquals("1", outstanding(token));
        deliver("y", "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_fence_is_outstanding_after_a_failed_call_and_during_an_outage() throws SQLException {
        queue("a");
        String token = fence();
        app.commit();
        turn();
        deliver("x", "failed");
        assertEquals("outstanding", standing(token), "a retry is stored");
        queue("a");
        String second = fence();
        app.commit();
        turn();
        assertEquals("outstanding", standing(second), "it has joined the retry");
        TestDatabase.run(
                freshet, "UPDATE freshet.target SET open_until = now() + interval '1 hour', opened_at = now()");
        queue("b");
        String postponed = fence();
        app.commit();
        turn();
        assertEquals("outstanding", standing(postponed), "it is postponed");
        TestDatabase.run(
                freshet,
                "UPDATE freshet.target SET open_until = NULL, opened_at = NULL; UPDATE freshet.delivery SET due_at ="
                        + " now()");
        deliver("x", "delivered");
        assertEquals(
                List.of("fresh", "fresh", "fresh"), List.of(standing(token), standing(second), standing(postponed)));
    }

    @Test
    void a_call_under_way_at_the_commit_does_not_count() throws SQLException {
        queue("hot");
        app.commit();
        turn();
        Call first = claim("x");
        queue("hot");
        String token = fence();
        app.commit();
        turn();
        settle(first, "delivered");
        assertEquals("outstanding", standing(token));
        Call second = claim("x");
        queue("hot");
        app.commit();
        turn();
        settle(second, "delivered");
        assertEquals("fresh", standing(token), "although the tag is owed again");
    }

    @Test
    void later_changes_of_a_hot_tag_do_not_hold_up_a_fence() throws SQLException {
        queue("hot");
        String token = fence();
        app.commit();
        fold();
        queue("hot");
        app.commit();
        fold();
        handOver(0);
        Call call = claim("x");
        queue("hot");
        app.commit();
        turn();
        settle(call, "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_fence_waits_only_for_its_own_bucket() throws SQLException {
        inbox("a", "now() - interval '1 hour'");
        inbox("a", "now()");
        String both = fence();
        app.commit();
        inbox("a", "now() - interval '1 hour'");
        String old = fence();
        app.commit();
        fold();
        handOver(60);
        deliver("x", "delivered");
        assertEquals("outstanding", standing(both), "the second of its buckets is not ripe");
        inbox("a", "now() - interval '1 hour'");
        old = fence();
        app.commit();
        fold();
        handOver(60);
        deliver("x", "delivered");
        assertEquals("fresh", standing(old), "of a late commit: the bucket that others fill is none of its own");
        handOver(0);
        deliver("x", "delivered");
        assertEquals("fresh", standing(both));
    }

    private static String deadLetterOf(String tag) {
        return "{\"tag\" : \"" + tag + "\", \"target\" : \"x\", \"error\" : \"HTTP 400\"}";
    }

    @Test
    void a_dead_letter_is_reported_only_for_its_own_change() throws SQLException {
        queue("a");
        app.commit();
        turn();
        deliver("x", "refused");
        queue("a");
        String delivered = fence();
        app.commit();
        turn();
        assertEquals("outstanding", standing(delivered), "the letter is of an earlier change");
        deliver("x", "delivered");
        assertEquals("fresh", standing(delivered));
        queue("a", "b");
        String givenUp = fence();
        app.commit();
        turn();
        deliver("x", "refused");
        assertEquals("[" + deadLetterOf("a") + ", " + deadLetterOf("b") + "]", standing(givenUp));
        assertEquals("fresh", standing(delivered), "it was out before");
        queue("a", "b");
        app.commit();
        turn();
        deliver("x", "delivered");
        assertEquals("fresh", standing(givenUp), "a later call has delivered it");
    }

    @Test
    void a_dead_letter_of_a_target_that_is_gone_belongs_to_an_earlier_change() throws SQLException {
        queue("a");
        app.commit();
        turn();
        deliver("x", "refused");
        TestDatabase.run(freshet, "DELETE FROM freshet.target; INSERT INTO freshet.target (name) VALUES ('y')");
        queue("a");
        String token = fence();
        app.commit();
        turn();
        deliver("y", "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_fence_reports_changes_given_up_by_a_deletion_or_a_long_outage() throws SQLException {
        database.run("INSERT INTO freshet.target (name) VALUES ('y')");
        queue("a");
        String token = fence();
        app.commit();
        turn();
        TestDatabase.run(
                freshet,
                "UPDATE freshet.target SET open_until = now(), opened_at = now(), failed_at = now() WHERE name = 'x';"
                        + " UPDATE freshet.target SET deleted_at = now(), served_at = now() - interval '1 hour' WHERE"
                        + " name"
                        + " = 'y'");
        SqlFile.of("deliver/forget-target").rows(freshet, Map.of("name", "y", "limit", 10));
        SqlFile.of("deliver/give-up").rows(freshet, Map.of("retryForSeconds", -1.0, "upSeconds", 1e9, "limit", 10));
        assertTrue(
                standing(token).contains("the target was down")
                        && standing(token).contains("file of the target was deleted"),
                standing(token));
    }

    @Test
    void without_a_target_a_fence_is_fresh_once_its_change_is_handed_over() throws SQLException {
        TestDatabase.run(freshet, "DELETE FROM freshet.target");
        queue("a");
        String token = fence();
        app.commit();
        fold();
        assertEquals("outstanding", standing(token));
        handOver(0);
        assertEquals("fresh", standing(token));
    }

    @Test
    void the_console_counts_waiting_fences_and_knows_the_oldest() throws SQLException {
        queue("out");
        fence();
        app.commit();
        turn();
        deliver("x", "delivered");
        queue("a", "b");
        String oldest = fence();
        app.commit();
        turn();
        queue("a");
        fence();
        app.commit();
        fold();
        queue("c");
        fence();
        app.commit();
        queue("of an open transaction");
        fence();
        Map<String, Object> now = counted();
        app.rollback();
        assertEquals(3L, now.get("waiting"), "owed, in the queue, in the inbox");
        assertEquals(false, now.get("capped"));
        assertEquals(
                database.one("SELECT asked_at FROM freshet.fence WHERE token = ?", oldest),
                database.one("SELECT ?::timestamptz", now.get("oldest_at").toString()));
        turn();
        deliver("x", "delivered");
        assertEquals(0L, counted().get("waiting"));
        assertNull(counted().get("oldest_at"));
    }

    /** After a day with 100,000 fences, one of which waits, with a planner that has no statistics about it. */
    @Test
    void the_console_reads_only_fences_that_wait() throws SQLException {
        TestDatabase.run(freshet, """
            INSERT INTO freshet.fence (token, noted_at) SELECT 'out ' || n, now() FROM generate_series(1, 100000) n;
            DELETE FROM freshet.fence_inbox;
            INSERT INTO freshet.fence_delivery (fence, tag, target, delivery, handover)
            SELECT id, 'hot', 'x', 7, id FROM freshet.fence;
            INSERT INTO freshet.delivery (id, tag, target, handover, done_handover, changed_at)
            OVERRIDING SYSTEM VALUE SELECT 7, 'hot', 'x', max(id), max(id) - 1, now() FROM freshet.fence\
            """);
        List<String> plan =
                TestDatabase.list(freshet, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) " + SqlFile.text("console/fences"));
        assertEquals(1L, counted().get("waiting"), "the delivery of a hot tag was there for all of them");
        assertTrue(buffers(plan) < 100, String.join("\n", plan));
    }

    /** The number of pages that the whole query has read. */
    private static int buffers(List<String> plan) {
        Matcher first = Pattern.compile("shared hit=(\\d+)(?: read=(\\d+))?").matcher(String.join("\n", plan));
        assertTrue(first.find(), String.join("\n", plan));
        return Integer.parseInt(first.group(1)) + (first.group(2) == null ? 0 : Integer.parseInt(first.group(2)));
    }

    @Test
    void changes_moved_by_others_are_noted_later() throws SQLException {
        queue("a");
        String token = fence();
        app.commit();
        Map<String, Object> row =
                SqlFile.of("queue/fold").rows(freshet, fold0()).get(0);
        horizon = (Timestamp) row.get("horizon");
        noteUnnoticed();
        assertEquals(List.of("a"), waitsFor(token), "in the queue now");
        SqlFile.of("queue/hand-over").rows(freshet, handOver0(0));
        assertEquals("outstanding", standing(token));
        noteUnnoticed();
        assertEquals("outstanding", standing(token));
        deliver("x", "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_fence_is_forgotten_after_a_day_with_everything_it_waits_for() throws SQLException {
        queue("a");
        upsert(app, "b");
        String token = fence();
        app.commit();
        assertEquals(0, SqlFile.of("deliver/forget-fences").update(freshet, Map.of("limit", 10)));
        TestDatabase.run(freshet, "UPDATE freshet.fence SET asked_at = now() - interval '25 hours'");
        assertEquals(List.of(), rowsOf(token));
        assertEquals(1, SqlFile.of("deliver/forget-fences").update(freshet, Map.of("limit", 10)));
        assertEquals(
                "0",
                database.one("SELECT (SELECT count(*) FROM freshet.fence_inbox) + (SELECT count(*) FROM"
                        + " freshet.fence_queue)"));
    }

    @Test
    void only_a_role_that_may_queue_tags_may_request_a_fence() throws SQLException {
        database.runAsSuperuser(
                "DO $$ BEGIN CREATE ROLE may_ask LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT"
                        + " EXECUTE ON FUNCTION public.enqueue_cache_invalidation(text),"
                        + " public.cache_invalidation_fence()"
                        + " TO may_ask; DO $$ BEGIN CREATE ROLE may_not LOGIN; EXCEPTION WHEN duplicate_object THEN"
                        + " NULL;"
                        + " END $$");
        try (Connection asks = database.connectAs("may_ask");
                Connection not = database.connectAs("may_not")) {
            asks.setAutoCommit(false);
            TestDatabase.run(asks, "SELECT public.enqueue_cache_invalidation('of a plain role')");
            String token = TestDatabase.list(asks, "SELECT public.cache_invalidation_fence()")
                    .get(0);
            asks.commit();
            assertEquals(List.of("of a plain role"), waitsFor(token));
            assertThrows(SQLException.class, () -> TestDatabase.list(not, "SELECT public.cache_invalidation_fence()"));
            assertThrows(SQLException.class, () -> TestDatabase.list(asks, "SELECT secret FROM freshet.fence_secret"));
        }
    }

    @Test
    void a_fence_whose_changes_were_never_noted_stays_outstanding() throws SQLException {
        database.runAsSuperuser("ALTER TABLE freshet.fence DISABLE TRIGGER note_changes");
        queue("a");
        String token = fence();
        app.commit();
        database.runAsSuperuser("ALTER TABLE freshet.fence ENABLE TRIGGER note_changes");
        turn();
        deliver("x", "delivered");
        assertEquals("outstanding", standing(token), "nobody knows what it has changed");
        assertFalse(outstanding(token).equals("0"));
    }

    @Test
    void a_tag_owed_past_the_queue_is_fresh_once_it_is_delivered() throws SQLException {
        queue("a");
        String token = fence();
        app.commit();
        fold();
        SqlFile.of("queue/owe-past-queue").update(freshet, Map.of("tag", "a"));
        noteUnnoticed();
        assertEquals("outstanding", standing(token), "its row will never be handed over");
        SqlFile.of("queue/note-handed").update(freshet, Map.of("tags", List.of("a"), "pastQueue", true));
        assertEquals("outstanding", standing(token));
        deliver("x", "delivered");
        assertEquals("fresh", standing(token));
    }

    private interface Scenario {
        void play(FenceTest test) throws SQLException;
    }

    static Stream<Arguments> guards() {
        String token = "R__cache_invalidation_fence";
        String changes = "R__cache_invalidation_0_fence_changes";
        return Stream.of(
                Arguments.of(
                        "queue/note-folded",
                        "OR xmin::text::bigint = [^)]*\\)::text::bigint % 4294967296",
                        "OR true",
                        (Scenario) FenceTest::a_fence_waits_only_for_its_own_bucket),
                Arguments.of("queue/note-handed", "q.handed_count < w.count", "false", (Scenario)
                        FenceTest::a_fence_waits_only_for_its_own_bucket),
                Arguments.of("queue/note-handed", "q.handed_count < w.count\\s+AND", "true AND", (Scenario)
                        FenceTest::a_row_that_keeps_growing_counts_as_handed_over),
                Arguments.of("queue/hand-over", "number - 1,", "0,", (Scenario)
                        FenceTest::a_dead_letter_is_reported_only_for_its_own_change),
                Arguments.of("deliver/fences-now", "l.handover >= w.handover AND", "", (Scenario)
                        FenceTest::a_fence_ignores_an_earlier_dead_letter_of_its_tag),
                Arguments.of("deliver/fences-now", "f.noted_at IS NULL\\s+OR", "", (Scenario)
                        FenceTest::a_fence_whose_changes_were_never_noted_stays_outstanding),
                Arguments.of("deliver/fences-now", "id = w.delivery AND", "", (Scenario)
                        FenceTest::a_fence_ignores_a_later_delivery_of_its_tag),
                Arguments.of("queue/note-handed", "AND t.takes_queue", "", (Scenario)
                        FenceTest::deliveries_of_jobs_do_not_hold_up_a_fence),
                Arguments.of(changes, "OR freshet.is_open\\([^)]*\\) % 4294967296\\)", "", (Scenario)
                        FenceTest::a_fence_covers_savepoints_and_exception_blocks_unless_they_were_rolled_back),
                Arguments.of(
                        changes,
                        "RETURN coalesce\\(pg_xact_status",
                        "RETURN true OR coalesce(pg_xact_status",
                        (Scenario) FenceTest::a_fence_does_not_cover_what_others_have_open_or_commit_meanwhile),
                Arguments.of(changes, "looks < 2", "looks < 1", (Scenario)
                        FenceTest::a_fence_covers_what_deferred_triggers_write_at_commit),
                Arguments.of(changes, "SET CONSTRAINTS freshet.note_changes DEFERRED;", "", (Scenario)
                        FenceTest::constraints_set_immediate_hide_no_later_change_from_a_fence),
                Arguments.of(changes, "AND fence.noted_at = statement_timestamp\\(\\)", "", (Scenario)
                        FenceTest::constraints_set_immediate_hide_no_later_change_from_a_fence),
                Arguments.of(token, "place \\|\\| ' ' \\|\\| signed", "signed", (Scenario)
                        FenceTest::a_signature_is_valid_in_one_database_only));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource
    void guards(String where, String guard, String without, Scenario scenario) throws Exception {
        boolean isFunction = where.startsWith("R__");
        String text = isFunction ? Files.readString(Path.of("sql/functions/" + where + ".sql")) : SqlFile.text(where);
        String broken = text.replaceAll(guard, without);
        assertNotEquals(text, broken, "the guard is still there");
        if (isFunction) {
            database.run(broken);
        } else {
            changed.put(where, broken);
        }
        try {
            assertThrows(AssertionError.class, () -> scenario.play(this));
        } finally {
            app.rollback();
            if (isFunction) {
                database.run(text);
            }
        }
    }

    @Test
    void a_row_that_keeps_growing_counts_as_handed_over() throws SQLException {
        queue("hot");
        String token = fence();
        app.commit();
        fold();
        SqlFile.of("queue/hand-over").rows(freshet, handOver0(0));
        queue("hot");
        app.commit();
        fold();
        noteUnnoticed();
        deliver("x", "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_fence_ignores_an_earlier_dead_letter_of_its_tag() throws SQLException {
        queue("a");
        app.commit();
        turn();
        deliver("x", "refused");
        queue("a");
        String token = fence();
        app.commit();
        turn();
        TestDatabase.run(freshet, "DELETE FROM freshet.delivery");
        assertEquals("fresh", standing(token), "somebody has taken back what was owed");
    }

    @Test
    void a_fence_ignores_a_later_delivery_of_its_tag() throws SQLException {
        queue("hot");
        String token = fence();
        app.commit();
        turn();
        deliver("x", "delivered");
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.delivery (tag, target, handover, changed_at) VALUES ('hot', 'x', 1, now())");
        assertEquals("fresh", standing(token), "in a copy, numbers may begin anew");
    }

    @Test
    void deliveries_of_jobs_do_not_hold_up_a_fence() throws SQLException {
        database.run("INSERT INTO freshet.target (name, takes_queue) VALUES ('jobs', false)");
        TestDatabase.run(
                freshet,
                "INSERT INTO freshet.delivery (tag, target, handover, changed_at) VALUES ('a', 'jobs', 1, now())");
        queue("a");
        String token = fence();
        app.commit();
        turn();
        deliver("x", "delivered");
        assertEquals("fresh", standing(token));
    }

    @Test
    void a_signature_is_valid_in_one_database_only() throws SQLException {
        String here = database.one("SELECT freshet.fence_signature('x')");
        String place = database.one(
                "SELECT encode(sha256(secret || convert_to('x', 'UTF8') || secret), 'hex') FROM freshet.fence_secret");
        assertFalse(place.startsWith(here), "the secret alone is not enough");
    }

    private final Map<String, String> changed = new HashMap<>();
    private Timestamp horizon;

    private String text(String statement) {
        return changed.getOrDefault(statement, SqlFile.text(statement));
    }

    private String fence() throws SQLException {
        return TestDatabase.list(app, "SELECT cache_invalidation_fence()").get(0);
    }

    private void queue(String... tags) throws SQLException {
        Scene.enqueue(app, tags);
    }

    private void inbox(String tag, String changedAt) throws SQLException {
        TestDatabase.run(app, "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('" + tag + "', " + changedAt + ")");
    }

    private static void upsert(Connection connection, String tag) throws SQLException {
        TestDatabase.run(
                connection,
                "INSERT INTO public.cache_invalidation_queue AS q (tag, time_bucket, invalidation_count) VALUES ('"
                        + tag
                        + "', '2026-01-01', 1) ON CONFLICT (tag, time_bucket) DO UPDATE SET invalidation_count ="
                        + " q.invalidation_count + 1");
    }

    private static List<String> waitsFor(String token) throws SQLException {
        return database.list(
                "SELECT DISTINCT tag COLLATE \"C\" FROM (SELECT fence, tag FROM freshet.fence_inbox UNION ALL SELECT"
                        + " fence, tag FROM freshet.fence_queue) w JOIN freshet.fence f ON f.id = w.fence WHERE f.token"
                        + " ="
                        + " ? ORDER BY 1",
                token);
    }

    private static String state(String token) throws SQLException {
        return database.one("SELECT freshet.fence_state(?)", token);
    }

    private List<Map<String, Object>> rowsOf(String token) throws SQLException {
        return new SqlFile("deliver/fences-now", text("deliver/fences-now"))
                .rows(freshet, Map.of("tokens", List.of(token), "listed", 100));
    }

    private String standing(String token) throws SQLException {
        assertEquals(waiting(), counted().get("waiting"), "the console counts those that wait");
        Map<String, Object> row = rowsOf(token).get(0);
        String givenUp = (String) row.get("given_up");
        return (Boolean) row.get("is_outstanding") ? "outstanding" : givenUp == null ? "fresh" : givenUp;
    }

    private Map<String, Object> counted() throws SQLException {
        return SqlFile.of("console/fences").rows(freshet, Map.of()).get(0);
    }

    /** Counts fences one by one as they would be reported, except those that nobody has looked at. */
    private long waiting() throws SQLException {
        List<String> all = database.list("SELECT token FROM freshet.fence WHERE noted_at IS NOT NULL");
        return SqlFile.of("deliver/fences-now").rows(freshet, Map.of("tokens", all, "listed", 0)).stream()
                .filter(row -> (Boolean) row.get("is_outstanding"))
                .count();
    }

    private String outstanding(String token) throws SQLException {
        return SqlFile.of("deliver/fences-outstanding")
                .rows(freshet, Map.of("tokens", List.of(token)))
                .get(0)
                .get("outstanding")
                .toString();
    }

    private void turn() throws SQLException {
        fold();
        handOver(0);
    }

    private static Map<String, Object> fold0() {
        Map<String, Object> which =
                new HashMap<>(Map.of("bucketSeconds", 5.0, "floor", 0L, "blocked", List.of(), "limit", 100));
        which.put("only", null);
        which.put("newest", false);
        which.put("debounceSeconds", 0.0);
        return which;
    }

    private void fold() throws SQLException {
        freshet.setAutoCommit(false);
        Map<String, Object> row =
                SqlFile.of("queue/fold").rows(freshet, fold0()).get(0);
        FencesAsked.noteFolded(freshet, this::text, row);
        horizon = Timestamp.from(((Timestamp) row.get("horizon")).toInstant());
        freshet.commit();
        freshet.setAutoCommit(true);
    }

    private Map<String, Object> handOver0(double debounce) {
        return Map.of(
                "horizon",
                debounce == 0 ? Timestamp.from(Instant.now()) : horizon,
                "since",
                new Timestamp(PGStatement.DATE_NEGATIVE_INFINITY),
                "debounceSeconds",
                debounce,
                "limit",
                100,
                "aside",
                List.of(),
                "claims",
                "[]",
                "leaseSeconds",
                60.0,
                "momentLimit",
                100,
                "lowest",
                0,
                "hasReplicas",
                false);
    }

    private void handOver(double debounce) throws SQLException {
        freshet.setAutoCommit(false);
        Map<String, Object> row = new SqlFile("queue/hand-over", text("queue/hand-over"))
                .rows(freshet, handOver0(debounce))
                .get(0);
        FencesAsked.noteHanded(freshet, this::text, row);
        freshet.commit();
        freshet.setAutoCommit(true);
    }

    private void noteUnnoticed() throws SQLException {
        Map<String, Object> all = new HashMap<>();
        all.put("ids", null);
        new SqlFile("queue/note-folded", text("queue/note-folded")).update(freshet, all);
        all.put("tags", null);
        all.put("pastQueue", false);
        new SqlFile("queue/note-handed", text("queue/note-handed")).update(freshet, all);
    }

    private record Call(String target, List<String> tags, String lease) {}

    private Call claim(String target) throws SQLException {
        String lease = UUID.randomUUID().toString();
        Map<String, Object> terms =
                new HashMap<>(Map.of("urgentLimit", 100, "lowestFirst", false, "hasReplicas", false));
        terms.putAll(Map.of(
                "target",
                target,
                "limit",
                100,
                "retries",
                100,
                "freshWithinSeconds",
                1e9,
                "retriesWithinSeconds",
                1e9,
                "lease",
                lease,
                "leaseSeconds",
                60.0,
                "probeSeconds",
                60.0,
                "probeMaxSeconds",
                60.0));
        List<Map<String, Object>> rows = SqlFile.of("deliver/claim").rows(freshet, terms);
        return new Call(
                target, rows.stream().map(row -> (String) row.get("tag")).toList(), lease);
    }

    private void settle(Call call, String result) throws SQLException {
        StringBuilder json = new StringBuilder();
        for (String tag : call.tags()) {
            json.append(json.isEmpty() ? "[" : ",")
                    .append("{\"tag\":\"")
                    .append(tag)
                    .append("\",\"target\":\"")
                    .append(call.target())
                    .append("\",\"lease\":\"")
                    .append(call.lease())
                    .append("\",\"call\":\"c\",\"company\":1,\"result\":\"")
                    .append(result)
                    .append(result.equals("delivered") ? "\"}" : "\",\"status\":400,\"error\":\"HTTP 400\"}");
        }
        SqlFile.of("deliver/settle")
                .rows(
                        freshet,
                        Map.of(
                                "outcomes",
                                json.append("]").toString(),
                                "marks",
                                true,
                                "retryForSeconds",
                                3600.0,
                                "backoffSeconds",
                                30.0,
                                "backoffMaxSeconds",
                                60.0,
                                "breakerTags",
                                5,
                                "probeSeconds",
                                60.0));
    }

    private void deliver(String target, String result) throws SQLException {
        Call call = claim(target);
        assertFalse(call.tags().isEmpty(), "nothing is due for " + target);
        settle(call, result);
    }
}
