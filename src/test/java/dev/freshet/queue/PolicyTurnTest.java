package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.deliver.Target;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Windows and priorities of policies, one turn at a time. Time passes where the test says so. */
class PolicyTurnTest {
    private TestDatabase database;
    private Transactions transactions;
    private Turn turn;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        transactions = new Transactions(database.pool(2));
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        turn = new Turn(transactions, new Marking(), lanes, calls -> {}, Duration.ofSeconds(5), Duration.ofMinutes(10));
        database.run("INSERT INTO freshet.target (name) VALUES ('x')");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void the_first_change_goes_at_once_and_the_rest_of_its_window_in_one_call() throws Exception {
        database.run("SELECT cache_invalidation_policy('hot:*', debounce => '1 minute', at_once => true)");
        change("hot:1");
        assertEquals(List.of("hot:1"), handedOver());
        change("hot:1");
        change("hot:1");
        assertEquals(List.of(), handedOver());
        pass("59 seconds");
        assertEquals(List.of(), handedOver());
        pass("2 seconds");
        assertEquals(List.of("hot:1"), handedOver());
        assertEquals(List.of("3"), database.list("SELECT invalidation_count FROM cache_invalidation_queue"));
    }

    @Test
    void a_tag_goes_at_once_again_only_if_it_was_quiet_for_its_window() throws Exception {
        database.run("SELECT cache_invalidation_policy('*', debounce => '1 minute', at_once => true)");
        change("quiet", "hot");
        handedOver();
        pass("50 seconds");
        change("hot");
        assertEquals(List.of(), handedOver());
        pass("12 seconds");
        assertEquals(List.of("hot"), handedOver());
        change("hot", "quiet");
        assertEquals(List.of("quiet"), handedOver());
        pass("58 seconds");
        change("hot");
        assertEquals(List.of(), handedOver());
        pass("3 seconds");
        assertEquals(List.of("hot"), handedOver());
    }

    @Test
    void late_commits_are_delivered_together_when_the_window_ends() throws Exception {
        database.run("SELECT cache_invalidation_policy('a', debounce => '1 minute', at_once => true)");
        late("a", "1 hour");
        assertEquals(List.of("a"), handedOver());
        for (int minutes = 50; minutes > 40; minutes--) {
            late("a", minutes + " minutes");
            assertEquals(List.of(), handedOver());
        }
        pass("61 seconds");
        assertEquals(List.of("a"), handedOver());
    }

    @Test
    void a_window_of_any_length_is_ripe_at_its_end_whatever_the_bucket() throws Exception {
        database.run("SELECT cache_invalidation_policy('short', debounce => '1 second');"
                + " SELECT cache_invalidation_policy('long', debounce => '1 day')");
        database.run(
                "INSERT INTO freshet.inbox (tag, changed_at) SELECT tag, timestamptz '2026-01-01 00:00:00Z' + moment"
                        + " FROM unnest(ARRAY['short', 'long']) tag, unnest(ARRAY['0 s', '0.4 s', '1.2 s', '23"
                        + " h']::interval[]) moment");
        turn.take();
        assertEquals(
                List.of(
                        "long 00:00:00 1 day 4",
                        "short 00:00:00 00:00:01 2",
                        "short 00:00:01 00:00:02 1",
                        "short 23:00:00 23:00:01 1"),
                database.list("SELECT concat_ws(' ', tag, time_bucket - begin, ripe_at - begin, invalidation_count)"
                        + " FROM cache_invalidation_queue, (SELECT timestamptz '2026-01-01 00:00:00Z') t(begin) ORDER"
                        + " BY 1"));
        database.run("SELECT cache_invalidation_policy('short', debounce => '1 minute')"); // outlasts the next lines
        change("long", "short");
        late("short", "2 minutes");
        assertEquals(List.of("short"), handedOver());
        pass("1 day");
        assertEquals(List.of("long", "short"), handedOver());
    }

    @Test
    void what_a_policy_leaves_out_follows_the_settings() throws Exception {
        database.run("SELECT cache_invalidation_policy('a', profile => 'max'); SELECT cache_invalidation_policy('b',"
                + " priority => 8); SELECT cache_invalidation_policy('c', at_once => true); SELECT"
                + " cache_invalidation_policy('d', debounce => '0')");
        change("a", "b", "c", "d");
        assertEquals(List.of("c", "d"), handedOver());
        change("c");
        assertEquals(List.of(), handedOver());
        pass("11 minutes");
        assertEquals(List.of("a", "b", "c"), handedOver());
    }

    @Test
    void a_policy_never_delays_changes_folded_before_it() throws Exception {
        change("a");
        assertEquals(List.of(), handedOver());
        database.run("SELECT cache_invalidation_policy('a', debounce => '1 day')");
        change("a");
        turn.take();
        pass("11 minutes");
        assertEquals(List.of("a"), handedOver());
        pass("1 day");
        turn.take();
        database.run(
                "DELETE FROM freshet.delivery; SELECT cache_invalidation_policy('a', debounce => '1 day', at_once =>"
                        + " true)");
        change("a");
        handedOver();
        change("a");
        assertEquals(List.of(), handedOver());
        database.run("SELECT cache_invalidation_policy('a', debounce => '1 minute', at_once => true)");
        pass("2 minutes");
        change("a");
        assertEquals(List.of(), handedOver());
        pass("61 seconds");
        assertEquals(List.of("a"), handedOver());
        pass("1 day");
        assertEquals(List.of("a"), handedOver());
    }

    @Test
    void a_dropped_policy_leaves_nothing_behind() throws Exception {
        database.run("SELECT cache_invalidation_policy('a', debounce => '20 minutes', at_once => true)");
        change("a");
        handedOver();
        change("a");
        turn.take();
        database.run("SELECT cache_invalidation_policy_drop('a')");
        change("a");
        assertEquals(List.of(), handedOver());
        pass("11 minutes");
        assertEquals(List.of("a"), handedOver());
        pass("10 minutes");
        assertEquals(List.of("a"), handedOver());
    }

    @Test
    void a_window_is_remembered_until_its_tag_has_been_quiet() throws Exception {
        Retention retention = new Retention(transactions, Duration.ofMillis(1), Duration.ofHours(1));
        database.run("SELECT cache_invalidation_policy('a', debounce => '1 hour', at_once => true)");
        change("a");
        handedOver();
        database.run("UPDATE cache_invalidation_queue SET handover = NULL, last_invalidated_at = now() - interval '1"
                + " minute'");
        retention.forgetProcessed();
        database.run("SELECT cleanup_old_cache_invalidations()");
        change("a");
        assertEquals(List.of(), handedOver());
        pass("2 hours");
        handedOver();
        database.run("UPDATE cache_invalidation_queue SET handover = NULL, last_invalidated_at = now() - interval '1"
                + " minute'");
        assertEquals(1, retention.forgetProcessed());
    }

    @Test
    void foreign_rows_join_the_window_that_they_fall_into() throws Exception {
        database.run("SELECT cache_invalidation_policy('a', debounce => '1 minute', at_once => true)");
        database.run(
                "INSERT INTO cache_invalidation_queue (tag, time_bucket) VALUES ('a', now() - interval '11 minutes')");
        assertEquals(List.of("a"), handedOver());
        change("a");
        assertEquals(List.of("a"), handedOver());
        database.run("UPDATE cache_invalidation_queue SET invalidation_count = invalidation_count + 1 WHERE ripe_at IS"
                + " NULL");
        assertEquals(List.of("a"), handedOver());
    }

    @Test
    void owed_deliveries_carry_the_latest_priority() throws Exception {
        change("a", "b", "c");
        late("a", "1 hour");
        late("b", "1 hour");
        turn.take();
        assertEquals(List.of("a 5", "b 5"), priorities());
        database.run(
                "SELECT cache_invalidation_policy('b', priority => 9); SELECT cache_invalidation_policy('c', priority"
                        + " => 1)");
        turn.take();
        turn.take();
        assertEquals(List.of("a 5", "b 9"), priorities());
        assertEquals(
                List.of("a 5 -", "b 9 +", "c 1 +"),
                database.list("SELECT concat_ws(' ', tag, priority,"
                        + " CASE WHEN ripe_at = time_bucket + interval '10 minutes' THEN '+' ELSE '-' END)"
                        + " FROM cache_invalidation_queue WHERE invalidation_count > handed_count ORDER BY 1"));
        database.run("SELECT cache_invalidation_policy_drop('b')");
        turn.take();
        turn.take();
        assertEquals(List.of("a 5", "b 5"), priorities());
    }

    @Test
    void an_urgent_tag_is_handed_over_before_everything_is_folded() throws Exception {
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        Target target = new Target();
        target.setName("x");
        lanes.serve(target);
        List<String> seen = new ArrayList<>();
        Turn atOnce = new Turn(
                transactions,
                new Marking(),
                lanes,
                calls -> seen.add(calls.get(0).getTags().get(0) + " " + left()),
                Duration.ofDays(1),
                Duration.ZERO);
        database.run("SELECT cache_invalidation_policy('urgent-*', priority => 9);"
                + " INSERT INTO freshet.inbox (tag) SELECT 'many-' || i FROM generate_series(1, 35000) i;"
                + " INSERT INTO freshet.inbox (tag) VALUES ('urgent-1')");
        atOnce.take();
        assertEquals("urgent-1 24501", seen.get(0));
    }

    private long left() {
        try {
            return Long.parseLong(database.one("SELECT count(*) FROM freshet.inbox"));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private void change(String... tags) throws SQLException {
        for (String tag : tags) {
            database.run("INSERT INTO freshet.inbox (tag) VALUES ('" + tag + "')");
        }
    }

    private void late(String tag, String age) throws SQLException {
        database.run(
                "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('" + tag + "', now() - interval '" + age + "')");
    }

    /** As if everything in the queue had happened earlier by this time. */
    private void pass(String time) throws SQLException {
        database.run("UPDATE cache_invalidation_queue SET time_bucket = time_bucket - interval '" + time
                + "', ripe_at = ripe_at - interval '" + time + "', quiet_at = quiet_at - interval '" + time + "'");
        turn.looks().added(NarrowLooks.EVER); // rows that grow older by themselves
    }

    /** Takes one turn, and returns the tags that it made owed. */
    private List<String> handedOver() throws SQLException {
        database.run("DELETE FROM freshet.delivery");
        turn.take();
        return database.list("SELECT tag FROM freshet.delivery ORDER BY 1");
    }

    private List<String> priorities() throws SQLException {
        return database.list("SELECT tag || ' ' || priority FROM freshet.delivery ORDER BY 1");
    }
}
