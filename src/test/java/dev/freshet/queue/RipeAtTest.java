package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A queue row may have a time of its own at which it is ripe, and rows of one kind never hide rows of the other. */
class RipeAtTest {
    private TestDatabase database;
    private Transactions transactions;
    private Turn turn;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        transactions = new Transactions(database.pool(2));
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        turn = new Turn(transactions, new Marking(), lanes, calls -> {}, Duration.ofSeconds(5), Duration.ofHours(1));
        database.run("INSERT INTO freshet.target (name) VALUES ('x')");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void a_row_with_its_own_ripe_time_waits_for_exactly_that() throws Exception {
        row("now", "now()", "now()");
        row("later", "now() - interval '2 hours'", "now() + interval '1 minute'");
        row("by its bucket", "now() - interval '2 hours'", "NULL");
        row("not yet by its bucket", "now()", "NULL");
        turn.take();
        assertEquals(List.of("by its bucket", "now"), owed());
    }

    @Test
    void rows_of_one_kind_do_not_hide_rows_of_the_other() throws Exception {
        database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket, ripe_at) SELECT 'late-' || i, now() -"
                + " interval '3 hours', now() + interval '1 day' FROM generate_series(1, 3000) i");
        row("bucket", "now() - interval '2 hours'", "NULL");
        row("moment", "now()", "now() - interval '1 second'");
        turn.take();
        assertEquals(List.of("bucket", "moment"), owed());
    }

    @Test
    void a_forced_manual_run_takes_rows_of_both_kinds() throws Exception {
        row("moment", "now()", "now() + interval '1 day'");
        row("bucket", "now()", "NULL");
        turn.takeAll(true);
        assertEquals(List.of("bucket", "moment"), owed());
    }

    @Test
    void a_row_that_waits_for_its_ripe_time_makes_no_work_and_is_not_late() throws Exception {
        row("moment", "now() - interval '2 hours'", "now() + interval '1 day'");
        assertEquals(false, ask("queue/turn-has-work", Map.of("floor", 0L)).get("has_work"));
        Map<String, Object> state = ask("queue/queue-state", Map.of());
        assertEquals("1 0.0", state.get("pending_tags") + " " + state.get("oldest_seconds"));
        database.run("UPDATE cache_invalidation_queue SET ripe_at = now() - interval '10 seconds'");
        assertEquals(true, ask("queue/turn-has-work", Map.of("floor", 0L)).get("has_work"));
        assertEquals(10, Math.round((Double) ask("queue/queue-state", Map.of()).get("oldest_seconds")));
    }

    @Test
    void a_change_that_joins_such_a_row_waits_no_longer_than_its_bucket_would() throws Exception {
        row("a", "timestamptz 'epoch'", "now() + interval '1 day'");
        database.run("INSERT INTO freshet.inbox (tag, changed_at) VALUES ('a', 'epoch')");
        turn.take();
        assertEquals(List.of("a"), owed());
    }

    private void row(String tag, String bucket, String ripeAt) throws SQLException {
        database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket, ripe_at) VALUES ('" + tag + "', " + bucket
                + ", " + ripeAt + ")");
    }

    private Map<String, Object> ask(String statement, Map<String, ?> values) throws SQLException {
        return transactions.in(c -> SqlFile.of(statement).rows(c, values)).get(0);
    }

    private List<String> owed() throws SQLException {
        return database.list("SELECT tag FROM freshet.delivery ORDER BY 1");
    }
}
