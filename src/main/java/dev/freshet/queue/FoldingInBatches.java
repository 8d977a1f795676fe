package dev.freshet.queue;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Claims;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.policy.Policies;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Folds everything that has committed, one batch at a time. Tags that someone else has locked are put aside, tags that
 * the queue's table refuses are delivered without it, and all other tags proceed.
 */
final class FoldingInBatches {
    static final int ROWS = 10_000;
    private static final int NEWEST_ROWS = 500;
    private static final int BATCHES = 50;
    /**
     * When the inbox fills faster than it is folded, buckets are handed over before it is empty: two calls for a bucket
     * are better than a late one.
     */
    private static final Duration IMPATIENCE = Duration.ofSeconds(10);

    private record Batch(Fold.Folded folded, HandOver.Handed urgent) {}

    private final Transactions transactions;
    private final TurnLock turnLock;
    private final Fold fold;
    private final HandingOverInBatches handingOver;
    private final Lanes lanes;
    /** Tags in the inbox whose row in the queue is locked by someone else. */
    private final LockedTags locked = new LockedTags(Duration.ofMillis(20), Duration.ofSeconds(1));

    private volatile int lastFolded;

    FoldingInBatches(
            Transactions transactions, TurnLock turnLock, Fold fold, HandingOverInBatches handingOver, Lanes lanes) {
        this.transactions = transactions;
        this.turnLock = turnLock;
        this.fold = fold;
        this.handingOver = handingOver;
        this.lanes = lanes;
    }

    /** The number of changes that the last turn found. */
    int lastFolded() {
        return lastFolded;
    }

    void folded(int changes) {
        lastFolded = changes;
    }

    boolean hasLocked() {
        return !locked.tags().isEmpty();
    }

    /** @return everything committed up to this time is in the queue; empty if another instance has the turn */
    Optional<Timestamp> foldAll(TurnProgress progress) throws SQLException {
        int rows = ROWS;
        int found = 0;
        Fold.Folded last = null;
        long candidate = transactions.in(fold.floor()::candidate);
        for (int batch = 0; batch < BATCHES; batch++) {
            List<String> blocked = locked.tags();
            try {
                Optional<Fold.Folded> folded = foldBatch(rows, blocked, progress);
                if (folded.isEmpty()) {
                    return Optional.empty();
                }
                last = folded.get();
                found += last.taken();
                if (last.taken() < rows) {
                    lastFolded = found;
                    if (blocked.isEmpty()) {
                        fold.floor().raise(candidate);
                    }
                    foldWhatWasLocked();
                    return Optional.of(last.horizon());
                }
                rows = ROWS;
            } catch (SQLException e) {
                Optional<Integer> next = rowsAfter(e, rows);
                if (next.isEmpty()) {
                    return Optional.empty();
                }
                rows = next.get();
            }
        }
        return Optional.ofNullable(last)
                .map(folded -> Timestamp.from(folded.horizon().toInstant().minus(IMPATIENCE)));
    }

    /** @return empty if another instance has the turn */
    private Optional<Fold.Folded> foldBatch(int rows, List<String> blocked, TurnProgress progress) throws SQLException {
        Policies policies = lanes.policies();
        Claims claims = rows == ROWS && policies.hasUrgent() ? lanes.claims() : null;
        Batch batch = transactions.in(c -> {
            if (!turnLock.isMine(c)) {
                return null;
            }
            Fold.Folded folded = fold.oldest(c, rows, blocked);
            return new Batch(folded, folded.taken() < rows ? null : urgentOfTheNewest(c, blocked, claims));
        });
        if (batch == null) {
            return Optional.empty();
        }
        if (batch.urgent() != null) {
            handingOver.committed(claims, batch.urgent(), progress);
        }
        if (batch.folded().taken() == rows && batch.folded().policies() > policies.version()) {
            policies.keepCurrent();
        }
        return Optional.of(batch.folded());
    }

    /**
     * Puts aside what made a batch fail, depending on the failure.
     *
     * @return how many rows the next batch takes; empty if another instance has the turn
     */
    private Optional<Integer> rowsAfter(SQLException failure, int rows) throws SQLException {
        boolean isLocked = GiveWay.orThrow(failure);
        if (isLocked) {
            List<String> blocked = locked.tags();
            List<String> held = transactions.in(c -> fold.heldByOthers(c, rows, blocked));
            held.forEach(locked::add);
            if (!held.isEmpty()) {
                return Optional.of(ROWS);
            }
        }
        if (rows > 1) {
            return Optional.of(Math.max(1, rows / 4));
        }
        List<String> blocked = locked.tags();
        Optional<String> oldest = transactions.in(c -> fold.oldestTag(c, blocked));
        if (isLocked) {
            oldest.ifPresent(locked::add);
        } else if (oldest.isPresent() && !handingOver.owePastTheQueue(oldest.get(), failure)) {
            return Optional.empty();
        }
        return Optional.of(ROWS);
    }

    /**
     * While a long fold is under way, hands over urgent tags that are among the newest changes. This happens in the
     * fold's own transaction, because the next turn may be another instance's. Changes of the same tags that are still
     * in the inbox cause a second call.
     */
    HandOver.Handed urgentOfTheNewest(Connection connection, List<String> blocked, Claims claims) throws SQLException {
        if (claims == null || !lanes.policies().hasUrgent() || claims.mostUrgentTags() == 0) {
            return null;
        }
        Fold.Folded newest = fold.newest(connection, NEWEST_ROWS, blocked);
        int rows = Math.min(HandingOverInBatches.ROWS, claims.mostUrgentTags());
        return handingOver.take(connection, newest.horizon(), HandOver.Share.ofUrgent(rows), claims, false);
    }

    private void foldWhatWasLocked() throws SQLException {
        for (String tag : locked.toTryAgain()) {
            try {
                if (transactions.in(c -> turnLock.isMine(c) ? fold.only(c, tag, ROWS) : null) != null) {
                    locked.remove(tag);
                }
            } catch (SQLException e) {
                if (GiveWay.orThrow(e)) {
                    locked.add(tag);
                } else {
                    locked.remove(tag); // the next fold meets the refusal and deals with it
                }
            }
        }
    }
}
