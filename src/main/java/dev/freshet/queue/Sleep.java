package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An instance that has seen nothing for two seconds sleeps, and is woken by whoever commits
 * (sql/migrations/V1__queue.sql). Whoever wrote before it said so, and commits after its last look, wakes nobody: so it
 * sleeps lightly at first, and the polls go on all the time. It trusts only what it has heard: each time it says that
 * it sleeps, it tells so to itself, too, and where that does not arrive it stays awake.
 */
public final class Sleep {
    /** @param echo what this instance is to hear of it itself */
    private record Asleep(int seconds, String echo) {}

    private static final Logger LOG = LoggerFactory.getLogger(Sleep.class);
    private static final long QUIET_NANOS = Duration.ofSeconds(2).toNanos();
    private static final long LIGHT_NANOS = Duration.ofSeconds(8).toNanos();
    private static final long GLANCE_NANOS = Duration.ofMillis(250).toNanos();
    private static final long RENEW_NANOS = Duration.ofSeconds(4).toNanos();
    private static final int SECONDS = 10;
    private static final long MISTRUST_NANOS = Duration.ofMinutes(1).toNanos();

    private final String own = "asleep " + UUID.randomUUID();
    private final SqlFile fallAsleep = SqlFile.of("queue/fall-asleep");
    private final SqlFile wakeUp = SqlFile.of("queue/wake-up");
    private final Transactions transactions;
    private final BooleanSupplier listens;
    private long awakeUntil = System.nanoTime() + QUIET_NANOS;
    private boolean asleep;
    private boolean heardItself;
    private boolean toBeSaid;
    private boolean over;
    private long fellAsleep;
    private long renewed;
    private int wakes;

    /** @param listens whether notifications can arrive at all */
    public Sleep(Transactions transactions, BooleanSupplier listens) {
        this.transactions = transactions;
        this.listens = listens;
    }

    /** Something was committed: more may follow. */
    public synchronized void sawSomething() {
        stayAwake(QUIET_NANOS);
    }

    /** By System.nanoTime. */
    synchronized long awakeUntil() {
        return awakeUntil;
    }

    /** What came by LISTEN. */
    public synchronized void hear(String payload) {
        if (own.equals(payload)) {
            heardItself = true;
        } else if (payload == null || !payload.startsWith("asleep ")) {
            stayAwake(QUIET_NANOS);
        }
    }

    private void stayAwake(long nanos) {
        awakeUntil = Math.max(awakeUntil, System.nanoTime() + nanos);
        if (asleep) {
            asleep = false;
            toBeSaid = true;
            wakes++;
            notifyAll();
        }
    }

    /** Between two looks: for so long while awake, until it is woken while asleep. */
    synchronized void rest(Duration whileAwake) throws InterruptedException {
        if (asleep) {
            int before = wakes;
            long nanos = System.nanoTime() - fellAsleep < LIGHT_NANOS ? GLANCE_NANOS : RENEW_NANOS;
            long end = System.nanoTime() + nanos;
            for (long left = nanos; left > 0 && wakes == before; left = end - System.nanoTime()) {
                wait(left / 1_000_000, (int) (left % 1_000_000));
            }
            if (asleep && System.nanoTime() - renewed > RENEW_NANOS) {
                renew();
            }
        } else if (!over && System.nanoTime() - awakeUntil > 0 && listens.getAsBoolean()) {
            fellAsleep = System.nanoTime();
            toBeSaid = false; // what it was woken for is long ago: said after this, it would let nobody wake it
            asleep = say(); // and one more look at once: it may have been committed in between
        } else {
            wait(Math.max(1, whileAwake.toMillis()));
        }
        if (toBeSaid) {
            sayAwake();
        }
    }

    private void renew() {
        if (heardItself) {
            asleep = say();
        } else {
            LOG.debug("Notifications do not arrive");
            stayAwake(MISTRUST_NANOS);
        }
    }

    private boolean say() {
        heardItself = false;
        renewed = System.nanoTime();
        try {
            if (!transactions
                    .inOne(c -> fallAsleep.rows(c, new Asleep(SECONDS, own)))
                    .isEmpty()) {
                return true;
            }
        } catch (SQLException e) {
            LOG.debug("Not asleep", e);
        }
        awakeUntil = System.nanoTime() + MISTRUST_NANOS;
        return false;
    }

    private void sayAwake() {
        toBeSaid = false;
        try {
            transactions.inOne(c -> wakeUp.rows(c, Map.of()));
        } catch (SQLException e) {
            LOG.debug("Writers are not told that nobody sleeps; that ends within {} s by itself", SECONDS, e);
        }
    }

    /** For good. */
    synchronized void end() {
        over = true;
        if (asleep || toBeSaid) {
            asleep = false;
            sayAwake();
        }
        wakes++;
        notifyAll();
    }
}
