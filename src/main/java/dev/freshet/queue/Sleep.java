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
 * An instance that has seen no change for two seconds sleeps, and the next writer that commits wakes it
 * (sql/migrations/V1__queue.sql). Some do not wake it: a writer that wrote before the instance announced its sleep and
 * commits after the instance's last look, and a writer that leaves it to another transaction, which then stays open or
 * is rolled back (sql/functions/R__0_must_wake.sql). Therefore the instance glances at the database while it sleeps,
 * often at first, and the polls always continue. It relies on notifications only if they demonstrably arrive: each
 * announcement also notifies the instance itself, and if that echo does not arrive, the instance stays awake.
 */
public final class Sleep {
    /** @param echo payload of the notification by which this instance hears its own announcement */
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

    /** Call this when something was committed: more may follow. */
    public synchronized void sawSomething() {
        stayAwake(QUIET_NANOS);
    }

    /** A value of {@link System#nanoTime}. */
    synchronized long awakeUntil() {
        return awakeUntil;
    }

    /** Takes the payload of a notification. */
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

    /**
     * Waits between two looks: for {@code whileAwake} when awake; when asleep, until it is woken or the next glance is
     * due.
     */
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
            // a withdrawal that is still due from an earlier wake-up is obsolete: sent after the announcement, it would
            // keep writers from waking this instance
            toBeSaid = false;
            asleep = say(); // then looks once more at once, because a change may have been committed in between
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

    /** Ends all sleep permanently. */
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
