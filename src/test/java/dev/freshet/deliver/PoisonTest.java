package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.audit.AuditLog;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.Outcome.Result;
import dev.freshet.queue.Retention;
import dev.freshet.queue.Turn;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Values that the database refuses hold up nothing else, and what is owed does not depend on them. */
class PoisonTest {
    private TestDatabase database;
    private Transactions transactions;
    private Turn turn;
    private Settlement settlement;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        transactions = new Transactions(database.pool(2));
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        turn = new Turn(transactions, new Marking(), lanes, calls -> {}, Duration.ofSeconds(5), Duration.ZERO);
        settlement = new Settlement(
                transactions,
                new Marking(),
                new Settlement.Patience(
                        Duration.ofHours(1), Duration.ofSeconds(30), Duration.ofMinutes(1), 5, Duration.ofSeconds(1)));
        database.run("INSERT INTO freshet.target (name) VALUES ('x')");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void an_error_text_that_cannot_be_stored_delays_no_other_outcome() throws Exception {
        List<Outcome> outcomes = called("a", "b", "c", "poison", "d");
        outcomes.replaceAll(o -> o.tag().equals("poison") ? outcome(o, Result.failed, "Bad chunk header: \0") : o);
        settlement.settle(outcomes);
        assertEquals(List.of("poison 1"), database.list("SELECT tag || ' ' || attempts FROM freshet.delivery"));
        assertEquals(List.of("a", "b", "c", "d"), processed());
        assertEquals(
                List.of("a", "b", "c", "d"),
                database.list("SELECT DISTINCT jsonb_array_elements_text(keys) FROM invalidation_audit"
                        + " WHERE outcome = 'delivered' ORDER BY 1"));
    }

    @Test
    void an_audit_table_that_refuses_a_row_holds_back_no_outcome() throws Exception {
        database.run("ALTER TABLE invalidation_audit ADD CONSTRAINT no_b CHECK (keys IS NULL OR NOT keys ? 'b')");
        settlement.settle(called("a", "b", "c"));
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.delivery"));
        assertEquals(List.of("a", "b", "c"), processed());
        assertEquals(
                List.of("a", "c"),
                database.list("SELECT DISTINCT jsonb_array_elements_text(keys) FROM invalidation_audit ORDER BY 1"));
        assertEquals("1", database.one("SELECT value FROM freshet.counter WHERE name = 'audit_rows_refused'"));
    }

    @Test
    void an_audit_table_that_refuses_everything_holds_nothing_back() throws Exception {
        Retention retention = new Retention(transactions, Duration.ofHours(1), Duration.ofSeconds(-1));
        database.run("ALTER TABLE invalidation_audit ADD CONSTRAINT nothing CHECK (false) NOT VALID");
        database.run("UPDATE freshet.target SET open_until = now() + interval '1 hour', opened_at = now()");
        change("a");
        turn.take(); // with a target in outage, the hand-over itself writes an audit row
        assertEquals(List.of("a"), processed());
        database.run("UPDATE freshet.target SET failed_at = clock_timestamp()");
        retention.giveUpWhatIsTooOld();
        assertEquals(List.of("a"), database.list("SELECT tag FROM freshet.dead_letter"));
    }

    @Test
    void an_audit_row_that_cannot_be_stored_delays_no_other() throws Exception {
        List<AuditLog.Row> rows = new ArrayList<>();
        for (String detail : List.of("one", "two\0", "three")) {
            rows.add(AuditLog.Row.of("attempt", "x", List.of("t"), "queue", null, detail, "r"));
        }
        new AuditLog(transactions, Duration.ofDays(1)).write(rows);
        assertEquals(List.of("one", "three"), database.list("SELECT detail FROM invalidation_audit ORDER BY 1"));
    }

    @Test
    void a_tag_that_the_queue_refuses_is_owed_nevertheless_and_delays_no_other() throws Exception {
        database.run("ALTER TABLE cache_invalidation_queue ADD CONSTRAINT no_b CHECK (tag <> 'b')");
        change("a", "b", "c");
        turn.take();
        assertEquals(List.of("a", "b", "c"), database.list("SELECT tag FROM freshet.delivery ORDER BY 1"));
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.inbox"));
        change("b", "d");
        turn.take();
        assertEquals(List.of("a", "b", "c", "d"), database.list("SELECT tag FROM freshet.delivery ORDER BY 1"));
        assertEquals("2", database.one("SELECT value FROM freshet.counter WHERE name = 'tags_past_queue'"));
    }

    @Test
    void a_row_that_may_not_be_marked_is_owed_nevertheless_and_delays_no_other() throws Exception {
        database.run("ALTER TABLE cache_invalidation_queue ADD CONSTRAINT never_handed CHECK (tag <> 'b' OR handover IS"
                + " NULL)");
        change("a", "b", "c");
        turn.take();
        turn.take();
        assertEquals(List.of("a", "b", "c"), database.list("SELECT tag FROM freshet.delivery ORDER BY 1"));
        settlement.settle(claimed());
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.delivery"));
        assertEquals(List.of("a", "c"), processed());
    }

    @Test
    void a_row_that_may_not_be_processed_delays_no_other() throws Exception {
        database.run("ALTER TABLE cache_invalidation_queue ADD CONSTRAINT never_done"
                + " CHECK (tag <> 'b' OR last_invalidated_at IS NULL)");
        settlement.settle(called("a", "b", "c"));
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.delivery"));
        assertEquals(List.of("a", "c"), processed());
        database.run("INSERT INTO freshet.mark_later VALUES ('b'), ('c')");
        change("d");
        turn.take();
        assertEquals(List.of("d"), database.list("SELECT tag FROM freshet.delivery"));
    }

    @Test
    void a_change_of_a_row_whose_count_is_full_is_handed_over() throws Exception {
        change("a");
        turn.take();
        settlement.settle(claimed());
        database.run("UPDATE cache_invalidation_queue SET invalidation_count = 2147483647, handed_count = 2147483647");
        database.run(
                "INSERT INTO freshet.inbox (tag, changed_at) SELECT tag, time_bucket FROM cache_invalidation_queue");
        turn.take();
        assertEquals(List.of("a"), database.list("SELECT tag FROM freshet.delivery"));
        assertEquals("2147483647", database.one("SELECT invalidation_count FROM cache_invalidation_queue"));
    }

    @Test
    void an_adopted_count_of_too_small_a_type_holds_nothing_back() throws Exception {
        change("a", "b");
        turn.take();
        settlement.settle(claimed());
        database.run("DROP VIEW cache_invalidation_latest; DROP INDEX freshet_cache_invalidation_queue_to_hand_over,"
                + " freshet_cache_invalidation_queue_to_hand_over_at; ALTER TABLE cache_invalidation_queue ALTER"
                + " invalidation_count TYPE smallint, ALTER handed_count TYPE smallint; UPDATE cache_invalidation_queue"
                + " SET invalidation_count = 32767, handed_count = 32767 WHERE tag = 'a'; INSERT INTO freshet.inbox"
                + " (tag,"
                + " changed_at) SELECT tag, time_bucket FROM cache_invalidation_queue");
        turn.take();
        assertEquals(List.of("a", "b"), database.list("SELECT tag FROM freshet.delivery ORDER BY 1"));
    }

    @Test
    void a_foreign_row_from_the_beginning_of_time_is_delivered_like_any_other() throws Exception {
        database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket, created_at) VALUES ('a', '-infinity',"
                + " '-infinity')");
        SqlFile.of("queue/queue-state").rows(database.pool(1).getConnection(), Map.of());
        change("b");
        turn.take();
        settlement.settle(claimed());
        assertEquals(List.of("a", "b"), processed());
        assertTrue(database.list("SELECT tag FROM freshet.delivery").isEmpty());
    }

    private void change(String... tags) throws SQLException {
        for (String tag : tags) {
            database.run("INSERT INTO freshet.inbox (tag) VALUES ('" + tag + "')");
        }
    }

    private List<String> processed() throws SQLException {
        return database.list(
                "SELECT tag FROM cache_invalidation_queue WHERE last_invalidated_at IS NOT NULL ORDER BY 1");
    }

    private List<Outcome> called(String... tags) throws SQLException {
        change(tags);
        turn.take();
        return claimed();
    }

    /** Claims everything that is due, and reports it as called with success. */
    private List<Outcome> claimed() throws SQLException {
        Map<String, Object> terms = new HashMap<>(Map.of(
                "target",
                "x",
                "limit",
                100,
                "retries",
                100,
                "freshWithinSeconds",
                1e9,
                "retriesWithinSeconds",
                1e9,
                "leaseSeconds",
                60.0,
                "probeSeconds",
                1.0,
                "probeMaxSeconds",
                1.0));
        terms.put("lease", UUID.randomUUID().toString());
        terms.putAll(Map.of("urgentLimit", 100, "lowestFirst", false));
        terms.put("hasReplicas", false);
        List<Map<String, Object>> rows =
                transactions.in(c -> SqlFile.of("deliver/claim").rows(c, terms));
        return new ArrayList<>(IntStream.range(0, rows.size())
                .mapToObj(i -> new Outcome(
                        "x",
                        (String) rows.get(i).get("tag"),
                        rows.get(i).get("lease_id").toString(),
                        Result.delivered,
                        null,
                        null,
                        null,
                        "call" + i,
                        1,
                        null))
                .toList());
    }

    private static Outcome outcome(Outcome of, Result result, String error) {
        return new Outcome(of.target(), of.tag(), of.lease(), result, null, error, null, of.call(), 1, null);
    }
}
