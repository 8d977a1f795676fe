package dev.freshet.deliver;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enforces what targets may spend, in token buckets that all instances share (freshet.budget). Claims run only a little
 * ahead of the budget: a claimed delivery is called before any later one, however urgent that is.
 */
final class Budgets {
    private static final Logger LOG = LoggerFactory.getLogger(Budgets.class);
    /** How far ahead a claim may spend. There may be no other claim before the next poll. */
    private static final Duration AHEAD = Duration.ofSeconds(1);
    /** The longest time that a call waits for the budget. After that its tags are given back untried. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    /**
     * Urgent calls wait for up to twice as long, because calls that were already granted may be ahead of them by {@link
     * #PATIENCE}.
     */
    private static final Duration URGENT_PATIENCE = PATIENCE.multipliedBy(2);

    private static final long GLANCE_NANOS = 100_000_000;

    /** The seconds until a budget is full again. */
    private record Spent(double callsSeconds, double tagsSeconds) {
        static final Spent NOTHING = new Spent(0, 0);
    }

    /**
     * A call with a number of tags. callSeconds and tagSeconds are the time that the budget needs to refill one call or
     * one tag.
     */
    private record Asked(
            String name,
            int tags,
            double callSeconds,
            double tagSeconds,
            double callsAtOnce,
            double tagsAtOnce,
            long patienceSeconds) {}

    private final SqlFile spend = SqlFile.of("deliver/spend-budget");
    private final SqlFile budgetSpent = SqlFile.of("deliver/budget-spent");
    private final Transactions transactions;

    Budgets(Transactions transactions) {
        this.transactions = transactions;
    }

    /** @return number of tags whose calls could begin now or within a moment */
    int tagsAtHand(Target target, boolean urgent) {
        long ahead = (urgent ? URGENT_PATIENCE : AHEAD).toSeconds();
        Limits limits = target.getLimits();
        if (limits.isEndless()) {
            return Integer.MAX_VALUE;
        }
        try {
            Spent spent = transactions
                    .inOne(c -> budgetSpent.firstRow(c, Map.of("name", target.getBudget()), Spent.class))
                    .orElse(Spent.NOTHING);
            long calls = limits.calls().within(ahead, spent.callsSeconds(), urgent);
            long tags = limits.tags().within(ahead, spent.tagsSeconds(), urgent);
            return (int) Math.min(Integer.MAX_VALUE, Math.min(calls * target.getBatch(), tags));
        } catch (SQLException e) {
            LOG.debug("What {} may spend could not be read: {}", target.getName(), e.getMessage());
            return 0; // if the budget cannot be read, nothing could be claimed either
        }
    }

    /**
     * Spends one call and waits until it may begin.
     *
     * @return false if it may not begin now; its tags are then to be given back
     */
    boolean grant(Target target, int tags, boolean urgent, BooleanSupplier isWanted) {
        Limits limits = target.getLimits();
        if (limits.isEndless()) {
            return true;
        }
        try {
            Asked asked = new Asked(
                    target.getBudget(),
                    tags,
                    limits.calls().secondsEach(),
                    limits.tags().secondsEach(),
                    limits.calls().room(urgent),
                    limits.tags().room(urgent),
                    (urgent ? URGENT_PATIENCE : PATIENCE).toSeconds());
            Optional<Double> waitSeconds = transactions.inOne(c -> spend.firstRow(c, asked, Double.class));
            if (waitSeconds.isEmpty()) {
                return false;
            }
            await(System.nanoTime() + (long) (waitSeconds.get() * 1e9), isWanted);
            return true;
        } catch (SQLException e) {
            LOG.debug("What {} may spend could not be asked: {}", target.getName(), e.getMessage());
            return false;
        }
    }

    private static void await(long turn, BooleanSupplier isWanted) {
        while (turn - System.nanoTime() > 0 && !Thread.currentThread().isInterrupted() && isWanted.getAsBoolean()) {
            LockSupport.parkNanos(Math.min(turn - System.nanoTime(), GLANCE_NANOS));
        }
    }
}
