package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** From users' transactions to calls: what is committed makes a call, and no lock, theirs or ours, holds anybody up. */
class QueueIT {
    private static final String UPSERT =
            "INSERT INTO public.cache_invalidation_queue (tag, time_bucket, invalidation_count)"
                    + " VALUES ('%s', date_bin('1 day', now(), timestamptz 'epoch'), 1) ON CONFLICT (tag, time_bucket)"
                    + " DO UPDATE SET invalidation_count = cache_invalidation_queue.invalidation_count + 1";

    private static Scene scene;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene();
        scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void a_rolled_back_change_makes_no_call() throws SQLException {
        try (Connection application = transaction()) {
            Scene.enqueue(application, "rolled-back");
            application.rollback();
        }
        scene.letEverythingPass();
        assertEquals(List.of(), scene.receiver.calls("rolled-back"));
    }

    @Test
    void a_change_rolled_back_to_a_savepoint_makes_no_call_and_the_rest_does() throws SQLException {
        try (Connection application = transaction()) {
            Scene.enqueue(application, "before-savepoint");
            Savepoint savepoint = application.setSavepoint();
            Scene.enqueue(application, "after-savepoint");
            application.rollback(savepoint);
            application.commit();
        }
        scene.receiver.awaitCalls("before-savepoint", 1);
        scene.letEverythingPass();
        assertEquals(List.of(), scene.receiver.calls("after-savepoint"));
    }

    @Test
    void a_commit_long_after_its_bucket_was_processed_is_found() throws SQLException {
        try (Connection late = transaction()) {
            Scene.enqueue(late, "late");
            scene.changeAndAwait("late");
            late.commit();
        }
        scene.receiver.awaitCalls("late", 2);
        scene.awaitProcessed("late");
    }

    @Test
    void changes_of_a_watched_table_make_calls() throws SQLException {
        scene.database.run("CREATE TABLE public.courses (id int PRIMARY KEY, title text);"
                + " SELECT cache_invalidation_watch('public.courses', ARRAY['course:{id}', 'courses'])");
        scene.database.run("INSERT INTO public.courses VALUES (1, 'Algebra')");
        scene.receiver.awaitCalls("course:1", 1);
        scene.awaitProcessed("course:1", "courses");
        scene.database.run("UPDATE public.courses SET title = 'Geometry'");
        scene.receiver.awaitCalls("course:1", 2);
        scene.receiver.awaitCalls("courses", 2);
    }

    @Test
    void an_open_foreign_upsert_of_a_new_row_delays_only_its_own_tag() throws SQLException {
        assertDelaysOnlyItself("new-held", "new-free");
    }

    @Test
    void an_open_foreign_upsert_of_a_known_row_delays_only_its_own_tag() throws SQLException {
        scene.changeAndAwait("known-held");
        assertDelaysOnlyItself("known-held", "known-free");
    }

    @Test
    void foreign_locks_on_very_many_rows_delay_only_those_rows() throws SQLException {
        String[] locked = tags("locked", 300);
        String[] free = tags("unlocked", 100);
        scene.change(locked);
        scene.awaitProcessed(locked);
        try (Connection foreign = transaction()) {
            TestDatabase.run(
                    foreign,
                    "UPDATE public.cache_invalidation_queue SET created_at = created_at WHERE tag LIKE 'locked-%'");
            scene.change(locked);
            scene.change(free);
            scene.awaitProcessed(free);
            scene.letEverythingPass();
            assertEquals(
                    300,
                    scene.receiver.calls().stream()
                            .filter(call -> call.tags().get(0).startsWith("locked-"))
                            .count());
            foreign.commit();
        }
        for (String tag : locked) {
            scene.receiver.awaitCalls(tag, 2);
        }
        scene.awaitProcessed(locked);
    }

    @Test
    void a_row_locked_while_its_call_is_settled_is_processed_once_it_is_free() throws SQLException {
        Receiver.Held call = scene.receiver.hold("settled-late");
        scene.change("settled-late");
        call.awaitBegun();
        try (Connection foreign = transaction()) {
            TestDatabase.run(
                    foreign, "SELECT FROM public.cache_invalidation_queue WHERE tag = 'settled-late' FOR UPDATE");
            call.release();
            scene.letEverythingPass();
            assertTrue(
                    scene.isTrue("SELECT last_invalidated_at IS NULL FROM public.cache_invalidation_queue WHERE tag ="
                            + " 'settled-late'"));
            foreign.rollback();
        }
        scene.awaitProcessed("settled-late");
        assertEquals(1, scene.receiver.calls("settled-late").size());
    }

    @Test
    void thirty_two_open_transactions_on_one_tag_do_not_wait_for_each_other() throws SQLException {
        scene.changeAndAwait("hot");
        List<Connection> writers = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            Connection writer = transaction();
            writers.add(writer);
            TestDatabase.run(writer, "SET LOCAL lock_timeout = '5s'");
            Scene.enqueue(writer, "hot");
            Scene.enqueue(writer, "hot", "warm-" + i);
        }
        scene.letEverythingPass();
        assertTrue(scene.isTrue(
                "SELECT count(*) = 32 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in"
                        + " transaction' AND query LIKE '%enqueue_cache_invalidation%' AND"
                        + " cardinality(pg_blocking_pids(pid)) = 0"));
        for (Connection writer : writers) {
            writer.commit();
            writer.close();
        }
        scene.receiver.awaitCalls("hot", 2);
        scene.awaitProcessed("hot", "warm-0", "warm-31");
        assertTrue(scene.isTrue("SELECT deadlocks = 0 FROM pg_stat_database WHERE datname = current_database()"));
        assertTrue(
                scene.isTrue("SELECT invalidation_count = 65 FROM public.cache_invalidation_queue WHERE tag = 'hot'"));
    }

    private static void assertDelaysOnlyItself(String held, String free) throws SQLException {
        int before = scene.receiver.calls(held).size();
        try (Connection foreign = transaction()) {
            TestDatabase.run(foreign, UPSERT.formatted(held));
            scene.change(held);
            scene.change(tags(free, 20));
            scene.awaitProcessed(tags(free, 20));
            scene.letEverythingPass();
            assertEquals(before, scene.receiver.calls(held).size());
            foreign.commit();
        }
        scene.receiver.awaitCalls(held, before + 1);
        scene.awaitProcessed(held);
        assertEquals(
                before + 2,
                Integer.parseInt(scene.one(
                        "SELECT invalidation_count FROM public.cache_invalidation_queue WHERE tag = ?", held)));
    }

    private static Connection transaction() throws SQLException {
        Connection connection = scene.database.connect();
        connection.setAutoCommit(false);
        return connection;
    }

    private static String[] tags(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toArray(String[]::new);
    }
}
