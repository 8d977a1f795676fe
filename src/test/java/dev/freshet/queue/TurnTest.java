package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Call;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.deliver.Target;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Another instance takes the turn while this one is in the middle of it. */
class TurnTest {
    private static final int MORE_THAN_A_BATCH = HandingOverInBatches.ROWS + 500;

    private TestDatabase database;
    private Connection other;
    private Turn turn;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        database.run("INSERT INTO freshet.target (name) VALUES ('x')");
        other = database.connect();
        other.setAutoCommit(false);
        Transactions transactions = new Transactions(database.pool(2));
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        Target target = new Target();
        target.setName("x");
        lanes.serve(target);
        turn = new Turn(
                transactions, new Marking(), lanes, this::otherTakesTheTurn, Duration.ofSeconds(5), Duration.ZERO);
        database.run("SELECT enqueue_cache_invalidation(ARRAY(SELECT 'tag-' || i FROM generate_series(1, "
                + MORE_THAN_A_BATCH + ") i))");
    }

    @AfterEach
    void close() throws Exception {
        other.close();
        database.close();
    }

    /** Called when the first batch is committed and its calls begin. */
    private void otherTakesTheTurn(List<Call> calls) {
        try {
            TestDatabase.list(other, "SELECT pg_advisory_xact_lock(7382084)::text");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_turn_that_was_lost_halfway_reports_that_it_is_not_finished() throws Exception {
        TurnReport report = turn.takeAll(false);
        assertFalse(report.mine());
        assertEquals(HandingOverInBatches.ROWS, report.tags());
        assertTrue(turn.isMoreRipe());
        other.rollback();
        TurnReport rest = turn.takeAll(false);
        assertTrue(rest.mine());
        assertEquals(MORE_THAN_A_BATCH, report.and(rest).tags());
        assertTrue(report.and(rest).mine());
    }
}
