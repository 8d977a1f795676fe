package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Outcome.Result;
import dev.freshet.deliver.policy.Policy;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A breaker opens at the first failure. */
class LedgerTest {
    private final List<String> told = new ArrayList<>();
    private TestDatabase database;
    private Ledger ledger;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        Transactions transactions = new Transactions(database.pool(2));
        Settlement.Patience patience = new Settlement.Patience(
                Duration.ofHours(1), Duration.ofSeconds(1), Duration.ofMinutes(1), 1, Duration.ofSeconds(1));
        ledger = new Ledger(
                new Settlement(transactions, new Marking(), patience),
                new Lanes(transactions, UsualTerms.TERMS),
                Duration.ofMillis(1),
                () -> {},
                change -> told.add(change + ", stored " + isOpen(change.target())));
        database.run("INSERT INTO freshet.target (name) VALUES ('x'), ('y')");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void a_breaker_is_told_when_it_opens_and_when_it_closes_each_time_after_the_commit() throws Exception {
        settle("x", Result.failed);
        assertEquals(List.of("BreakerChange[target=x, open=true], stored t"), told);
        settle("x", Result.failed);
        settle("y", Result.delivered);
        assertEquals(1, told.size(), "nothing has changed");
        settle("x", Result.delivered);
        assertEquals(List.of("BreakerChange[target=x, open=false], stored f"), told.subList(1, told.size()));
    }

    private void settle(String target, Result result) throws SQLException {
        String lease = UUID.randomUUID().toString();
        database.run("INSERT INTO freshet.delivery AS d (tag, target, handover, changed_at, lease_id,"
                + " claimed_handover) VALUES ('t', '" + target + "', 1, now(), '" + lease + "', 1)"
                + " ON CONFLICT (tag, target) DO UPDATE SET lease_id = excluded.lease_id, claimed_handover = 1");
        Delivery delivery = new Delivery(target, "t", 1, 1, lease, 1, 1, 0, 0, Long.MAX_VALUE, false, Policy.NONE);
        Outcome outcome = new Outcome(target, "t", lease, result, null, null, null, "call", 1, null);
        ledger.settle(List.of(new Ledger.Entry(Call.of(List.of(delivery)), List.of(outcome))));
    }

    private String isOpen(String target) {
        try {
            return database.one("SELECT open_until IS NOT NULL FROM freshet.target WHERE name = '" + target + "'");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
