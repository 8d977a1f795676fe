package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How the look at the inbox copes with a database that is slow to answer. */
class InboxTest {
    private final Sparing sparing = new Sparing(1_000_000, Duration.ZERO);
    private TestDatabase database;
    private Sleep sleep;
    private Inbox inbox;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        DataSource pool = database.pool(2);
        Transactions transactions = new Transactions(pool);
        Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
        Turn turn =
                new Turn(transactions, new Marking(), lanes, calls -> {}, Duration.ofSeconds(5), Duration.ofSeconds(5));
        sleep = new Sleep(transactions, () -> true);
        inbox = new Inbox(pool, turn, sleep, () -> true, sparing);
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void an_inbox_that_rests_after_seeing_no_change_may_fall_asleep() throws Exception {
        lookUntilItRests();
        long before = sleep.awakeUntil();
        assertFalse(inbox.hasChanges());
        assertEquals(before, sleep.awakeUntil());
    }

    @Test
    void an_inbox_that_rests_while_changes_arrive_does_not_fall_asleep() throws Exception {
        database.run("SELECT enqueue_cache_invalidation('a')");
        lookUntilItRests();
        long before = sleep.awakeUntil();
        Eventually.is(
                Duration.ofSeconds(10),
                () -> !looks() && sleep.awakeUntil() - before > 0,
                () -> "it falls asleep, and busy writers have to wake it");
    }

    private void lookUntilItRests() throws Exception {
        while (sparing.mayAsk()) {
            inbox.hasChanges();
        }
    }

    private boolean looks() {
        try {
            return inbox.hasChanges();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
