package dev.freshet.queue;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Claims;
import dev.freshet.deliver.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands over what is ripe, one batch at a time, as long as there is room for the calls. Tags whose deliveries someone
 * else has locked, and rows that the queue's table does not allow to be marked as handed over, are put aside so that
 * all others proceed.
 */
final class HandingOverInBatches {
    /**
     * @param rows how many rows the look might have handed over by their buckets; if it handed over fewer, there were
     *     no more
     */
    private record Look(Timestamp since, Timestamp horizon, long nanos, int rows) {}

    static final int ROWS = 2_000;
    private static final Logger LOG = LoggerFactory.getLogger(Turn.class);
    private static final int BATCHES = 50;
    private static final Duration SHORT_PAUSE = Duration.ofMillis(20);

    private final Transactions transactions;
    private final TurnLock turnLock;
    private final HandOver handOver;
    private final Lanes lanes;
    private final NarrowLooks looks;
    /** Tags in the queue with a delivery that someone else has locked. */
    private final LockedTags owedElsewhere = new LockedTags(SHORT_PAUSE, Duration.ofSeconds(1));
    /** Tags in the queue that its table does not allow to be marked as handed over. */
    private final LockedTags refused = new LockedTags(Duration.ofMinutes(1), Duration.ofMinutes(1));

    private volatile boolean isMoreRipe;

    private Look look;

    HandingOverInBatches(
            Transactions transactions, TurnLock turnLock, HandOver handOver, Lanes lanes, NarrowLooks looks) {
        this.transactions = transactions;
        this.turnLock = turnLock;
        this.handOver = handOver;
        this.lanes = lanes;
        this.looks = looks;
    }

    /** Something ripe was left in the queue because there was no room for its calls. */
    boolean isMoreRipe() {
        return isMoreRipe;
    }

    boolean hasAside() {
        return !aside().isEmpty();
    }

    static int rows(int limit, Claims claims) {
        return claims.targets().isEmpty() ? limit : Math.min(limit, claims.mostTags());
    }

    /**
     * Must be called in a transaction that has the turn.
     *
     * @param whole considers the whole queue, however long that takes
     */
    HandOver.Handed take(Connection connection, Timestamp horizon, HandOver.Share share, Claims claims, boolean whole)
            throws SQLException {
        Timestamp since = whole ? NarrowLooks.EVER : looks.since();
        List<String> aside = aside();
        long begun = System.nanoTime();
        HandOver.Handed handed = handOver.take(connection, horizon, since, share, aside, claims);
        look = new Look(since, horizon, System.nanoTime() - begun, aside.isEmpty() ? share.byBucket() : 0);
        return handed;
    }

    void committed(Claims claims, HandOver.Handed handed, TurnProgress progress) {
        looks.took(look.since(), look.nanos(), handed.buckets());
        if (handed.buckets() < look.rows()) {
            looks.emptied(look.horizon());
        }
        handed.tags().forEach(owedElsewhere::remove);
        progress.committed(claims, handed);
    }

    /** @param all hand over everything, whether or not there is room for the calls */
    void handOverAll(Timestamp horizon, boolean all, TurnProgress progress) throws SQLException {
        int limit = ROWS;
        for (int batch = 0; batch < BATCHES; batch++) {
            Claims claims = lanes.claims();
            isMoreRipe = claims.full();
            boolean onlyUrgent = claims.full() && !all;
            if (onlyUrgent && claims.mostUrgentTags() == 0) {
                return;
            }
            int rows = all ? limit : Math.min(limit, onlyUrgent ? claims.mostUrgentTags() : rows(limit, claims));
            HandOver.Share share = onlyUrgent ? HandOver.Share.ofUrgent(rows) : HandOver.Share.of(rows);
            try {
                HandOver.Handed handed =
                        transactions.audited(c -> turnLock.isMine(c) ? take(c, horizon, share, claims, all) : null);
                if (handed == null) {
                    isMoreRipe = true; // not known here, so assume that there is more
                    progress.anotherHasTheTurn();
                    return;
                }
                committed(claims, handed, progress);
                boolean isAll =
                        handed.buckets() < rows && owedElsewhere.firstPause().isZero();
                if (isAll || handed.tags().isEmpty() && !soonFree()) {
                    return;
                }
                limit = ROWS;
            } catch (SQLException e) {
                Optional<Integer> next = rowsAfter(e, horizon, rows);
                if (next.isEmpty()) {
                    progress.anotherHasTheTurn();
                    return;
                }
                limit = next.get();
            }
        }
    }

    /**
     * Puts aside what made a batch fail, depending on the failure.
     *
     * @return how many rows the next batch takes; empty if another instance has the turn or nothing is left
     */
    private Optional<Integer> rowsAfter(SQLException failure, Timestamp horizon, int rows) throws SQLException {
        boolean isLocked = GiveWay.orThrow(failure);
        if (isLocked) {
            List<String> held = transactions.in(c -> handOver.heldByOthers(c, horizon, rows, aside()));
            held.forEach(owedElsewhere::add);
            if (!held.isEmpty()) {
                return Optional.of(ROWS);
            }
        }
        if (rows > 1) {
            return Optional.of(Math.max(1, rows / 4));
        }
        return putOldestAside(horizon, isLocked, failure) ? Optional.of(ROWS) : Optional.empty();
    }

    /** @return false if another instance has the turn by now, or if there is no such tag any more */
    private boolean putOldestAside(Timestamp horizon, boolean isLocked, SQLException why) throws SQLException {
        Optional<String> oldest = transactions.in(c -> handOver.oldestTag(c, horizon, aside()));
        if (oldest.isEmpty()) {
            return false;
        }
        if (isLocked) {
            owedElsewhere.add(oldest.get());
            return true;
        }
        refused.add(oldest.get());
        return owePastTheQueue(oldest.get(), why);
    }

    /** The queue's table refuses this tag permanently. Its deliveries are written without a row there. */
    boolean owePastTheQueue(String tag, SQLException why) throws SQLException {
        LOG.warn(
                "The table cache_invalidation_queue refuses the tag {}: {}. It is delivered all the same, without a"
                        + " row there",
                tag,
                why.getMessage().lines().findFirst().orElse(""));
        return transactions.in(c -> turnLock.isMine(c) && handOver.owePastQueue(c, tag));
    }

    private List<String> aside() {
        List<String> aside = new ArrayList<>(owedElsewhere.pausing());
        aside.addAll(refused.pausing());
        return aside;
    }

    /**
     * A lock on a delivery usually lasts for a moment only. Once all other tags have been handed over, wait for that
     * moment.
     */
    private boolean soonFree() {
        Duration pause = owedElsewhere.firstPause();
        if (pause.isZero() || pause.compareTo(SHORT_PAUSE) > 0) {
            return false;
        }
        LockSupport.parkNanos(pause.toNanos());
        return true;
    }
}
