package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.queue.Moments;
import dev.freshet.queue.Sparing;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From moments of rows to what is queued when they come: none is missed, and none is early. */
class MomentsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ConcurrentLinkedQueue<Duration> waits = new ConcurrentLinkedQueue<>();
    private final AtomicInteger handOvers = new AtomicInteger();
    private TestDatabase database;
    private Transactions transactions;
    private Moments moments;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.empty();
        // a role called freshet would find schema freshet first
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET search_path = public");
        database.migrate();
        transactions = new Transactions(database.pool(6));
        moments = moments();
        database.run("CREATE TABLE posts (id int PRIMARY KEY, grp int, publish_at timestamptz, unpublish_at"
                + " timestamptz);SELECT cache_invalidation_watch('posts', ARRAY['post:{id}', 'group:{grp}'], due"
                + " => ARRAY['publish_at', 'unpublish_at'])");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    private Moments moments() {
        return new Moments(transactions, new Sparing(0, Duration.ZERO), waits::add, handOvers::incrementAndGet);
    }

    private List<String> queued() throws SQLException {
        return database.list("SELECT tag FROM cache_invalidation_queue WHERE ripe_at IS NOT NULL ORDER BY tag");
    }

    private void look() {
        try {
            moments.look();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_moment_that_has_come_is_queued_once_and_the_next_one_is_known() throws Exception {
        database.run("INSERT INTO posts VALUES (1, 1, clock_timestamp() + interval '2 s', '2100-01-01')");
        Eventually.is(
                PATIENCE,
                () -> {
                    look();
                    return handOvers.get() > 0;
                },
                () -> "nothing has come");
        assertEquals(List.of("group:1", "post:1"), queued());
        assertEquals(1, handOvers.get());
        assertEquals(
                "t",
                database.one("SELECT bool_and(created_at >= ripe_at) FROM cache_invalidation_queue WHERE ripe_at IS NOT"
                        + " NULL"));
        assertTrue(
                !waits.isEmpty() && waits.stream().allMatch(wait -> wait.compareTo(Duration.ofMillis(1001)) <= 0),
                waits::toString);
        assertEquals(
                "t",
                database.one(
                        "SELECT bool_and(ripe_at = publish_at AND changed_at = publish_at AND invalidation_count = 1)"
                                + " FROM cache_invalidation_queue, posts WHERE ripe_at IS NOT NULL"));
        moments.look();
        assertEquals(
                "2",
                database.one("SELECT sum(invalidation_count) FROM cache_invalidation_queue WHERE ripe_at IS NOT NULL"));
        assertEquals("2", database.one("SELECT count(*) FROM freshet.moment"), "the other one is still to come");
    }

    @Test
    void a_look_during_a_rest_is_made_up_for_later() throws Exception {
        Moments tired = new Moments(
                transactions, new Sparing(1_000_000, Duration.ZERO), waits::add, handOvers::incrementAndGet);
        for (int i = 0; i < 3; i++) {
            tired.look();
        }
        waits.clear();
        tired.look();
        assertEquals(1, waits.size());
        assertTrue(waits.peek().compareTo(Duration.ofSeconds(1)) > 0, waits::toString);
    }

    @Test
    void a_moment_edited_away_before_it_came_is_not_queued_even_if_nobody_looked_earlier() throws Exception {
        database.run(
                "INSERT INTO posts VALUES (1, 1, clock_timestamp() + interval '1 hour'), (2, 2, clock_timestamp() +"
                        + " interval '1 hour')");
        database.run("UPDATE posts SET publish_at = '2100-01-01' WHERE id = 1");
        database.run("UPDATE freshet.moment_change SET at = now() WHERE at < '2099-01-01'");
        moments.look();
        assertEquals(List.of("group:2", "post:2"), queued());
    }

    @Test
    void a_row_committed_after_its_moment_is_queued_at_the_next_look() throws Exception {
        try (Connection late = database.connect()) {
            late.setAutoCommit(false);
            TestDatabase.run(
                    late,
                    "INSERT INTO posts VALUES (1, 1, clock_timestamp() + interval '1 hour'); UPDATE"
                            + " freshet.moment_change SET at = clock_timestamp()");
            moments.look();
            assertEquals(List.of(), queued());
            late.commit();
        }
        moments.look();
        assertEquals(List.of("group:1", "post:1"), queued());
    }

    @Test
    void a_removal_counted_before_its_addition_takes_nothing_from_other_rows() throws Exception {
        String change =
                "INSERT INTO freshet.moment_change (watch, tag, at, change) SELECT number, 'x', '2100-01-01', %d FROM"
                        + " freshet.watch";
        database.run(String.format(change, -1));
        fold(10);
        database.run(String.format(change, 1));
        fold(10);
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment"));
        database.run(String.format(change, -1));
        fold(10);
        database.run(String.format(change, 1) + ";" + String.format(change, 1));
        fold(1);
        fold(1);
        assertEquals("1", database.one("SELECT count FROM freshet.moment"));
    }

    /**
     * Writers, a worker and a model, which is the table itself. Time passes as a parameter of the statements, one day
     * per step.
     */
    @Test
    void a_hundred_thousand_moments_edited_at_random_are_never_missed_or_early() throws Exception {
        String moment =
                "timestamptz '2100-01-01 00:00Z' + make_interval(days => (random() * 20)::int, hours => (random() *"
                        + " 3)::int)";
        database.run(
                "INSERT INTO posts SELECT i, i % 50, " + moment + ", " + moment + " FROM generate_series(1, 25000) i");
        AtomicInteger step = new AtomicInteger();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int writer = 0; writer < 3; writer++) {
            int number = writer;
            writers.add(CompletableFuture.runAsync(() -> write(number, step)));
        }
        for (int day = 1; day <= 20; day++) {
            step.set(day);
            fold(10_000);
        }
        step.set(Integer.MAX_VALUE);
        writers.forEach(CompletableFuture::join);
        // from here on all writing is done between the steps, and everything must agree after each step
        Random random = new Random(7);
        String from = "2099-12-31 00:00Z";
        for (int day = 1; day <= 22; day++) {
            String to = String.format("2100-01-%02d 01:00Z", day);
            foldAll();
            database.run("DELETE FROM cache_invalidation_queue");
            queueMoments(to);
            assertEquals(
                    List.of(),
                    database.list("(SELECT tag, ripe_at FROM cache_invalidation_queue EXCEPT " + expected(from, to)
                            + ")" + " UNION ALL (" + expected(from, to)
                            + " EXCEPT SELECT tag, ripe_at FROM cache_invalidation_queue)"),
                    "day " + day);
            database.run("UPDATE posts SET publish_at = publish_at + interval '3 days' WHERE publish_at > '" + to
                    + "' AND id % 7 = " + random.nextInt(7)
                    + "; UPDATE posts SET grp = grp + 1 WHERE unpublish_at > '" + to + "' AND publish_at > '" + to
                    + "' AND id % 11 = " + random.nextInt(11)
                    + "; DELETE FROM posts WHERE id % 13 = " + random.nextInt(13) + " AND publish_at > '" + to
                    + "' AND unpublish_at > '" + to + "'"
                    + "; UPDATE posts SET unpublish_at = NULL WHERE unpublish_at > '" + to + "' AND id % 17 = "
                    + random.nextInt(17));
            from = to;
        }
        foldAll();
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment WHERE count < 0"));
        database.run("TRUNCATE posts");
        foldAll();
        queueMoments("2200-01-01 00:00Z");
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment"));
    }

    private static String expected(String from, String to) {
        StringBuilder all = new StringBuilder("(");
        for (String column : List.of("publish_at", "unpublish_at")) {
            for (String tag : List.of("'post:' || id", "'group:' || grp")) {
                all.append(all.length() == 1 ? "" : " UNION ")
                        .append("SELECT ")
                        .append(tag)
                        .append(" AS tag, ")
                        .append(column)
                        .append(" AS ripe_at FROM posts WHERE ")
                        .append(column)
                        .append(" > '")
                        .append(from)
                        .append("' AND ")
                        .append(column)
                        .append(" <= '")
                        .append(to)
                        .append('\'');
            }
        }
        return all.append(')').toString();
    }

    private void write(int number, AtomicInteger step) {
        Random random = new Random(number);
        try (Connection writer = database.connect()) {
            writer.setAutoCommit(false);
            while (step.get() <= 20) {
                int id = random.nextInt(25_000);
                String moment = "timestamptz '2100-01-01 00:00Z' + interval '" + random.nextInt(500) + " hours'";
                TestDatabase.run(
                        writer,
                        switch (random.nextInt(4)) {
                            case 0 -> "DELETE FROM posts WHERE id = " + id;
                            case 1 ->
                                "INSERT INTO posts VALUES (" + id + ", " + id % 50 + ", " + moment
                                        + ") ON CONFLICT (id) DO NOTHING";
                            case 2 ->
                                "UPDATE posts SET grp = " + random.nextInt(50) + ", publish_at = " + moment
                                        + " WHERE id = " + id;
                            default ->
                                "UPDATE posts SET unpublish_at = " + moment + " WHERE id BETWEEN " + id + " AND "
                                        + (id + 20) + " AND id % 3 = " + number;
                        });
                if (random.nextInt(10) == 0) {
                    writer.rollback();
                } else if (random.nextInt(3) == 0) {
                    writer.commit();
                }
            }
            writer.commit();
        } catch (SQLException e) {
            if (!"40P01".equals(e.getSQLState())) {
                throw new AssertionError(e); // the test's own writers may deadlock
            }
        }
    }

    private int fold(int limit) throws SQLException {
        return (Integer) transactions
                .in(c -> SqlFile.of("source/fold-moments").rows(c, Map.of("limit", limit)))
                .get(0)
                .get("taken");
    }

    private void foldAll() throws SQLException {
        while (fold(10_000) == 10_000) {
            continue;
        }
    }

    private void queueMoments(String horizon) throws SQLException {
        Map<String, Object> page = Map.of("horizon", horizon, "limit", 2_000);
        while ((Integer) transactions
                        .in(c -> SqlFile.of("source/queue-moments").rows(c, page))
                        .get(0)
                        .get("struck")
                == 2_000) {
            continue;
        }
    }

    @Test
    void two_instances_queue_each_moment_once_one_page_at_a_time() throws Exception {
        insertWhoseMomentHasCome("generate_series(1, 5000)");
        Moments other = moments();
        List<CompletableFuture<Void>> both = new ArrayList<>();
        for (Moments one : List.of(moments, other)) {
            both.add(CompletableFuture.runAsync(() -> {
                try {
                    for (int i = 0; i < 5; i++) {
                        one.look();
                    }
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }));
        }
        both.forEach(CompletableFuture::join);
        moments.look();
        assertEquals(
                "5001 1",
                database.one(
                        "SELECT count(*) || ' ' || max(invalidation_count) FROM cache_invalidation_queue WHERE ripe_at"
                                + " IS NOT NULL"));
        assertTrue(handOvers.get() >= 3, "a page is handed over while the next one is queued");
    }

    /** Inserts rows whose moment has just come. */
    private void insertWhoseMomentHasCome(String ids) throws SQLException {
        database.run("INSERT INTO posts SELECT i, 1, clock_timestamp() + interval '1 hour' FROM " + ids + " i");
        database.run("UPDATE freshet.moment_change SET at = now()");
    }

    @Test
    void a_look_that_dies_before_its_commit_has_no_effect() throws Exception {
        insertWhoseMomentHasCome("generate_series(1, 1)");
        for (int i = 0; i < 2; i++) {
            try (Connection dies = database.connect()) {
                dies.setAutoCommit(false);
                SqlFile.of("source/fold-moments").rows(dies, Map.of("limit", 10));
                SqlFile.of("source/queue-moments").rows(dies, Map.of("limit", 10, "horizon", "2100-01-01"));
                dies.rollback();
            }
        }
        assertEquals(List.of(), queued());
        moments.look();
        assertEquals(List.of("group:1", "post:1"), queued());
    }

    @Test
    void a_foreign_lock_or_constraint_holds_up_no_other_moment_and_loses_none() throws Exception {
        insertWhoseMomentHasCome("generate_series(1, 50)");
        database.run("ALTER TABLE cache_invalidation_queue ADD CONSTRAINT no_seven CHECK (tag <> 'post:7')");
        try (Connection foreign = database.connect()) {
            foreign.setAutoCommit(false);
            TestDatabase.run(
                    foreign,
                    "INSERT INTO cache_invalidation_queue (tag, time_bucket) SELECT 'post:9', at + interval '1"
                            + " microsecond' FROM freshet.moment_change WHERE tag = 'post:9'");
            moments.look();
            assertEquals(49, queued().size());
            assertEquals(
                    List.of("post:7", "post:9"),
                    database.list(
                            "SELECT tag FROM freshet.inbox WHERE changed_at < now() AND tag IN ('post:7', 'post:9')"
                                    + " GROUP BY tag HAVING count(*) = 2 ORDER BY tag"));
        }
    }

    @Test
    void moments_of_an_unwatched_table_are_not_queued_and_are_forgotten() throws Exception {
        insertWhoseMomentHasCome("generate_series(1, 3)");
        database.run("INSERT INTO posts VALUES (9, 9, '2100-01-01')");
        fold(100);
        database.run("SELECT cache_invalidation_unwatch('posts')");
        moments.look();
        assertEquals(List.of(), queued());
        assertEquals("2", database.one("SELECT count(*) FROM freshet.moment"));
        moments.forget();
        assertEquals("0", database.one("SELECT count(*) FROM freshet.moment"));
    }

    @Test
    void a_dropped_table_takes_its_moments_with_it() throws Exception {
        insertWhoseMomentHasCome("generate_series(1, 3)");
        database.run("DROP TABLE posts");
        moments.look();
        assertEquals(List.of(), queued());
    }
}
