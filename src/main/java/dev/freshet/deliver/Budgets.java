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
 * What targets may spend, in buckets that all instances share (freshet.budget). Little is claimed ahead of what is at
 * hand: what has been claimed goes before whatever comes later, however urgent that is.
 */
final class Budgets {
    private static final Logger LOG = LoggerFactory.getLogger(Budgets.class);
    /** A claim takes what can go so soon: until the next poll there would be no other. */
    private static final Duration AHEAD = Duration.ofSeconds(1);
    /** A call waits for its turn no longer than this; then its tags are given back, untried. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    /** What is urgent may stand behind calls that have waited for so long, and never behind others. */
    private static final Duration URGENT_PATIENCE = PATIENCE.multipliedBy(2);

    private static final long GLANCE_NANOS = 100_000_000;

    /** How long until a budget is full again. */
    private record Spent(double callsSeconds, double tagsSeconds) {
        static final Spent NOTHING = new Spent(0, 0);
    }

    /** A call with so many tags, and how fast its budget is full again: in seconds for each call and tag. */
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

    /** @return how many tags could begin their calls now or in a moment */
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
            return 0; // nor could anything be claimed
        }
    }

    /** Spends one call, and waits for its turn. False: it may not begin now, and its tags are to be given back. */
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
