package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

class SleepTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String UNTIL = "SELECT last_value FROM freshet.asleep_until";
    private static final String ASLEEP =
            "SELECT last_value > extract(epoch FROM clock_timestamp()) FROM freshet.asleep_until";

    private TestDatabase database;
    private Connection ear;
    private Sleep sleep;
    private Thread prober;
    private volatile boolean ended;
    private volatile boolean listens = true;

    @BeforeEach
    void start() throws Exception {
        database = TestDatabase.migrated();
        ear = database.connect();
        TestDatabase.run(ear, "LISTEN freshet_live");
        sleep = new Sleep(new Transactions(database.pool(2)), () -> listens);
        prober = new Thread(this::probe);
        prober.start();
    }

    @AfterEach
    void stop() throws Exception {
        ended = true;
        sleep.end();
        prober.join();
        ear.close();
        database.close();
    }

    private void probe() {
        try {
            while (!ended) {
                sleep.rest(Duration.ofMillis(5));
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_commit_wakes_a_sleeping_instance_and_later_commits_notify_nobody() throws Exception {
        listenUntil("t");
        TestDatabase.run(ear, "SELECT enqueue_cache_invalidation('wakes')");
        listens = false; // it does not fall asleep again
        listenUntil("f");
        heard();
        database.run("SELECT enqueue_cache_invalidation('wakes nobody')");
        database.run("NOTIFY freshet_live, 'last'");
        List<String> heard = new ArrayList<>();
        Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains("last"), heard::toString);
        assertEquals(List.of("last"), heard);
    }

    @Test
    void an_instance_that_falls_asleep_again_without_having_looked_can_be_woken() throws Exception {
        ended = true;
        sleep.end();
        prober.join();
        Sleep slow = new Sleep(new Transactions(database.pool(1)), () -> true);
        Eventually.is(PATIENCE, () -> isOver(slow), () -> "still awake");
        slow.rest(Duration.ofMillis(5));
        assertEquals("t", database.one(ASLEEP));
        slow.hear("");
        Eventually.is(PATIENCE, () -> isOver(slow), () -> "still awake");
        slow.rest(Duration.ofMillis(5));
        assertEquals("t", database.one(ASLEEP), "writers wake it");
    }

    private static boolean isOver(Sleep sleep) {
        return System.nanoTime() - sleep.awakeUntil() > 0;
    }

    @Test
    void a_live_event_wakes_a_sleeping_instance_too() throws Exception {
        listenUntil("t");
        database.run("SELECT manual_cache_invalidation('AB1')");
        listenUntil("f");
    }

    @Test
    void a_rollback_wakes_nobody() throws Exception {
        listenUntil("t");
        try (Connection writer = database.connect()) {
            writer.setAutoCommit(false);
            TestDatabase.run(writer, "SELECT enqueue_cache_invalidation('not')");
            writer.rollback();
        }
        database.run("NOTIFY freshet_live, 'asleep another'");
        List<String> heard = new ArrayList<>();
        Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains("asleep another"), heard::toString);
        assertEquals("t", database.one(ASLEEP));
    }

    @Test
    void while_a_transaction_is_going_to_wake_it_no_other_one_notifies() throws Exception {
        listenUntil("t");
        try (Connection first = database.connect()) {
            first.setAutoCommit(false);
            TestDatabase.run(first, "SELECT enqueue_cache_invalidation('first')");
            database.run("SELECT enqueue_cache_invalidation('second')");
            database.run("NOTIFY freshet_live, 'asleep another'");
            List<String> heard = new ArrayList<>();
            Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains("asleep another"), heard::toString);
            assertEquals(List.of("asleep another"), notEchoes(heard));
            first.commit();
            heard.clear();
            Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains(""), heard::toString);
        }
    }

    @Test
    void a_transaction_that_stays_open_keeps_nobody_from_waking_it_after_its_next_announcement() throws Exception {
        listenUntil("t");
        try (Connection forgotten = database.connect()) {
            forgotten.setAutoCommit(false);
            TestDatabase.run(forgotten, "SELECT enqueue_cache_invalidation('never committed')");
            awaitNextAnnouncement();
            database.run("SELECT enqueue_cache_invalidation('wakes')");
            List<String> heard = new ArrayList<>();
            Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains(""), heard::toString);
            forgotten.rollback();
        }
    }

    /** Otherwise a transaction that makes many policies would keep writers from waking anybody. */
    @Test
    void while_nobody_sleeps_no_transaction_takes_the_right_to_wake() throws Exception {
        listens = false;
        listenUntil("f");
        try (Connection deployment = database.connect()) {
            deployment.setAutoCommit(false);
            TestDatabase.run(deployment, "SELECT cache_invalidation_policy('a:*', debounce => '1 s')");
            TestDatabase.run(deployment, "SELECT enqueue_cache_invalidation('b')");
            assertEquals(
                    "0",
                    TestDatabase.list(
                                    deployment,
                                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                                            + " AND pid = pg_backend_pid()")
                            .get(0));
            deployment.rollback();
        }
    }

    @Test
    void an_update_that_changes_nothing_wakes_nobody() throws Exception {
        database.run("CREATE TABLE public.kept (id int PRIMARY KEY, v int); INSERT INTO public.kept VALUES (1, 1);"
                + " SELECT cache_invalidation_watch('public.kept', ARRAY['k:{id}', 'v:{v}'])");
        listenUntil("t");
        heard();
        database.run("UPDATE public.kept SET v = 1; NOTIFY freshet_live, 'asleep another'");
        List<String> heard = new ArrayList<>();
        Eventually.is(PATIENCE, () -> heard.addAll(heard()) && heard.contains("asleep another"), heard::toString);
        assertEquals(List.of("asleep another"), notEchoes(heard));
    }

    private static List<String> notEchoes(List<String> heard) {
        return heard.stream()
                .filter(payload -> !payload.matches("asleep [0-9a-f-]{36}"))
                .collect(Collectors.toList());
    }

    @Test
    void a_transaction_that_takes_a_first_change_back_wakes_it_for_the_second() throws Exception {
        listenUntil("t");
        database.run("BEGIN; SAVEPOINT s; SELECT enqueue_cache_invalidation('first'); ROLLBACK TO s;"
                + " SELECT enqueue_cache_invalidation('second'); COMMIT");
        listenUntil("f");
    }

    @Test
    void an_instance_that_does_not_hear_itself_does_not_stay_asleep() {
        Eventually.is(PATIENCE, () -> is("t"), () -> "never asleep");
        Eventually.is(PATIENCE, () -> is("f"), () -> "asleep, and deaf");
    }

    @Test
    void an_instance_that_ends_leaves_no_writer_notifying() throws Exception {
        listenUntil("t");
        sleep.end();
        assertEquals("f", database.one(ASLEEP));
    }

    private void awaitNextAnnouncement() throws SQLException {
        String last = database.one(UNTIL);
        Eventually.is(
                PATIENCE,
                () -> {
                    heard().forEach(sleep::hear);
                    return !last.equals(one(UNTIL));
                },
                () -> "not announced again");
    }

    private void listenUntil(String asleep) {
        Eventually.is(
                PATIENCE,
                () -> {
                    heard().forEach(sleep::hear);
                    return is(asleep);
                },
                () -> "not " + asleep);
    }

    private boolean is(String asleep) {
        return asleep.equals(one(ASLEEP));
    }

    private String one(String sql) {
        try {
            return database.one(sql);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private List<String> heard() {
        try {
            List<String> heard = new ArrayList<>();
            PGNotification[] notifications = ear.unwrap(PGConnection.class).getNotifications(1);
            for (PGNotification notification : notifications == null ? new PGNotification[0] : notifications) {
                heard.add(notification.getParameter());
            }
            return heard;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
