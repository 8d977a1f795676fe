package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;

/** Checks whether anything was committed: often while changes arrive, less often after a long quiet time. */
public final class Inbox {
    private static final long QUIET_NANOS = Duration.ofSeconds(20).toNanos();
    private static final int QUIET_TICKS = 3;
    private static final long ACTIVE_NANOS = Duration.ofSeconds(2).toNanos();
    /**
     * With a steady stream of changes, a pause lets one turn find several at once. With a flood, a longer pause leaves
     * the machine to the writers.
     */
    private static final long BREATH_NANOS = Duration.ofMillis(30).toNanos();

    private static final long LONG_BREATH_NANOS = Duration.ofMillis(100).toNanos();
    private static final int MANY = 100;
    private static final Duration UNWANTED = Duration.ofMillis(500);

    /** An idle writer elsewhere keeps deleted rows from being vacuumed, and each look walks past them. */
    private final Sparing sparing;

    private final SqlFile hasChanges = SqlFile.of("queue/inbox-has-changes");
    private final DataSource dataSource;
    private final Turn turn;
    private final Sleep sleep;
    private final BooleanSupplier isWanted;
    private volatile long lastSeen = System.nanoTime();
    private volatile boolean seenBefore;
    private int tick;

    /** @param isWanted if false, the regular poll finds every change soon enough and no looks are needed */
    public Inbox(DataSource dataSource, Turn turn, Sleep sleep, BooleanSupplier isWanted) {
        this(dataSource, turn, sleep, isWanted, new Sparing(20, Duration.ofMillis(5)));
    }

    Inbox(DataSource dataSource, Turn turn, Sleep sleep, BooleanSupplier isWanted, Sparing sparing) {
        this.dataSource = dataSource;
        this.turn = turn;
        this.sleep = sleep;
        this.isWanted = isWanted;
        this.sparing = sparing;
    }

    /** The time until the next look: half as long if something was committed a moment ago. */
    public Duration rest(Duration probe) {
        if (!isWanted.getAsBoolean()) {
            return UNWANTED;
        }
        return seenBefore && System.nanoTime() - lastSeen < ACTIVE_NANOS ? probe.dividedBy(2) : probe;
    }

    public synchronized boolean hasChanges() throws Exception {
        if (!isWanted.getAsBoolean()) {
            // checked here as well, so that an instance woken by a change may still be in time for it
            turn.policies().keepCurrent();
        }
        if (!isWanted.getAsBoolean()) {
            return false;
        }
        long since = System.nanoTime() - lastSeen;
        if (seenBefore && since < (turn.lastFolded() < MANY ? BREATH_NANOS : LONG_BREATH_NANOS)) {
            return false;
        }
        boolean quiet = since > QUIET_NANOS;
        if (quiet && ++tick % QUIET_TICKS != 0) {
            return false;
        }
        if (!sparing.mayAsk()) {
            if (seenBefore && !quiet) {
                // no look is not the same as no changes: do not fall asleep and make busy writers pay for the wake-up
                sleep.sawSomething();
            }
            return false; // the poll finds the changes
        }
        try (Connection connection = dataSource.getConnection()) {
            boolean changes = sparing.ask(() -> !hasChanges
                    .rows(connection, Map.of("floor", turn.floor().id()))
                    .isEmpty());
            seenBefore |= changes;
            if (changes) {
                lastSeen = System.nanoTime();
                sleep.sawSomething();
                turn.expectWork();
            }
            return changes;
        }
    }
}
