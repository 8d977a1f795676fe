package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Moments of rows (publish at, unpublish at): counts the moments that rows have gained and lost, and queues tags whose
 * moment has come. Only the database's clock decides. One instance works at a time and each page is one transaction, so
 * a process that dies leaves nothing half done.
 */
public final class Moments {
    private record Next(boolean hasChanges, Double seconds) {
        boolean isWork() {
            return hasChanges || seconds != null && seconds <= 0;
        }
    }

    private record Folded(int taken, Timestamp horizon) {}

    private record Struck(int struck, int queued) {}

    /** Selects the moments up to the horizon. */
    private record Come(Timestamp horizon, int limit) {}

    private static final int FOLD_ROWS = 10_000;
    private static final int QUEUE_ROWS = 2_000;
    private static final int BATCHES = 50;
    private static final int PAGES = 1_000;
    private static final int FORGET_ROWS = 5_000;
    /**
     * When moments are set and called off faster than they are counted, count no further: queueing a moment that was
     * called off is better than queueing one late.
     */
    private static final Duration IMPATIENCE = Duration.ofSeconds(1);
    /** The route calls {@link #look} this often anyway. */
    private static final double LOOKS_EVERY_SECONDS = 1;

    private static final Duration AT_ONCE = Duration.ofMillis(1);

    private final SqlFile nextMoment = SqlFile.of("source/next-moment");
    private final SqlFile takeClock = SqlFile.of("source/take-clock");
    private final SqlFile foldMoments = SqlFile.of("source/fold-moments");
    private final SqlFile queueMoments = SqlFile.of("source/queue-moments");
    private final SqlFile momentIntoInbox = SqlFile.of("source/moment-into-inbox");
    private final SqlFile forgetMoments = SqlFile.of("source/forget-moments");
    private final Sparing sparing;
    private final Transactions transactions;
    private final Consumer<Duration> lookAgainIn;
    private final Runnable handOver;

    /**
     * @param sparing how long to rest when the database is slow to answer
     * @param lookAgainIn schedules the next call of {@link #look}, replacing an earlier schedule
     * @param handOver hands over at once what was queued
     */
    public Moments(Transactions transactions, Sparing sparing, Consumer<Duration> lookAgainIn, Runnable handOver) {
        this.transactions = transactions;
        this.sparing = sparing;
        this.lookAgainIn = lookAgainIn;
        this.handOver = handOver;
    }

    /** Called every second, and when the next moment comes. */
    public synchronized void look() throws Exception {
        Duration rest = sparing.rest();
        if (!rest.isZero()) {
            lookAgainIn.accept(rest); // a moment that comes during the rest is late by no more than the rest
            return;
        }
        Next next = sparing.ask(this::next);
        if (next.isWork()) {
            Optional<Timestamp> horizon = foldWhatCommitted();
            if (horizon.isEmpty()) {
                return; // another instance does this work, and looks as often
            }
            queueWhatHasCome(horizon.get());
            next = next();
        }
        if (next.isWork()) {
            lookAgainIn.accept(AT_ONCE); // a moment has come in the meantime
        } else if (next.seconds() != null && next.seconds() < LOOKS_EVERY_SECONDS) {
            lookAgainIn.accept(Duration.ofNanos((long) (next.seconds() * 1e9)).plus(AT_ONCE));
        }
    }

    /** Deletes the moments of watches that no longer exist. */
    public synchronized void forget() throws SQLException {
        for (int page = 0; page < PAGES; page++) {
            Integer forgotten = transactions.in(
                    c -> isMine(c) ? forgetMoments.row(c, Map.of("limit", FORGET_ROWS), Integer.class) : null);
            if (forgotten == null || forgotten < FORGET_ROWS) {
                return;
            }
        }
    }

    private Next next() throws SQLException {
        return transactions.inOne(c -> nextMoment.row(c, Map.of(), Next.class));
    }

    /** @return everything committed up to this time is counted; empty if another instance has the clock */
    private Optional<Timestamp> foldWhatCommitted() throws SQLException {
        Folded folded = null;
        for (int batch = 0; batch < BATCHES; batch++) {
            folded = transactions.in(c -> isMine(c) ? fold(c) : null);
            if (folded == null) {
                return Optional.empty();
            }
            if (folded.taken() < FOLD_ROWS) {
                return Optional.of(folded.horizon());
            }
        }
        return Optional.of(Timestamp.from(folded.horizon().toInstant().minus(IMPATIENCE)));
    }

    /** Works page by page. What a page has queued is handed over while the next page is being queued. */
    private void queueWhatHasCome(Timestamp horizon) throws SQLException {
        int limit = QUEUE_ROWS;
        for (int page = 0; page < PAGES; page++) {
            int rows = limit;
            Struck struck;
            try {
                struck = transactions.in(
                        c -> isMine(c) ? queueMoments.row(c, new Come(horizon, rows), Struck.class) : null);
            } catch (SQLException e) {
                if (!SqlState.isLocked(e) && !SqlState.isRefused(e)) {
                    throw e;
                }
                if (rows > 1) {
                    limit = Math.max(1, rows / 4);
                    continue;
                }
                struck = transactions.in(
                        c -> isMine(c) ? momentIntoInbox.row(c, Map.of("horizon", horizon), Struck.class) : null);
            }
            if (struck != null && struck.queued() > 0) {
                handOver.run();
            }
            if (struck == null || struck.struck() < rows) {
                return;
            }
            limit = Math.min(QUEUE_ROWS, rows * 4);
        }
    }

    private boolean isMine(Connection connection) throws SQLException {
        return takeClock.row(connection, Map.of(), Boolean.class);
    }

    private Folded fold(Connection connection) throws SQLException {
        return foldMoments.row(connection, Map.of("limit", FOLD_ROWS), Folded.class);
    }
}
