package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.Call;
import dev.freshet.deliver.Claims;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.deliver.policy.Policies;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.postgresql.PGStatement;

/**
 * One turn at the queue: fold what has committed, then hand over to the targets what is ripe. Only one instance has the
 * turn at a time. Each batch is a transaction of its own that acquires the turn again, so a process that dies leaves
 * nothing half done.
 */
public final class Turn {
    private record Work(boolean hasWork, long policies) {}

    private record Both(Fold.Folded folded, HandOver.Handed handed) {}

    private enum Step {
        DONE,
        MORE,
        FAILED
    }

    private final SqlFile turnHasWork = SqlFile.of("queue/turn-has-work");
    private final Transactions transactions;
    private final Lanes lanes;
    private final Consumer<List<Call>> begin;
    private final TurnLock turnLock = new TurnLock();
    private final Coalescing coalescing = new Coalescing();
    private final NarrowLooks looks;
    private final Fold fold;
    private final FoldingInBatches folding;
    private final HandingOverInBatches handingOver;
    private final LateMarks lateMarks;
    private final Labels labels;
    private volatile boolean expected;
    /** Everything committed up to this time is in the queue. */
    private Timestamp horizon = new Timestamp(0);

    /** @param begin receives claimed deliveries, as calls to one target */
    public Turn(
            Transactions transactions,
            Marking marking,
            Lanes lanes,
            Consumer<List<Call>> begin,
            Duration bucket,
            Duration debounce) {
        this.transactions = transactions;
        this.lanes = lanes;
        this.begin = begin;
        FenceNotes fences = new FenceNotes();
        this.looks = new NarrowLooks(debounce, bucket);
        this.fold = new Fold(bucket, debounce, fences, looks);
        this.handingOver =
                new HandingOverInBatches(transactions, turnLock, new HandOver(debounce, fences), lanes, looks);
        this.folding = new FoldingInBatches(transactions, turnLock, fold, handingOver, lanes);
        this.lateMarks = new LateMarks(transactions, marking);
        this.labels = new Labels(transactions, turnLock, lanes.policies(), debounce);
    }

    Policies policies() {
        return lanes.policies();
    }

    /** The number of changes that the last turn found. */
    int lastFolded() {
        return folding.lastFolded();
    }

    public Coalescing coalescing() {
        return coalescing;
    }

    NarrowLooks looks() {
        return looks;
    }

    Floor floor() {
        return fold.floor();
    }

    /**
     * Hands over what is ripe as far as there is room for calls. The rest waits in the queue, where later changes join
     * it.
     */
    public synchronized TurnReport take() throws SQLException {
        if (!expected && !hasWork()) {
            labels.keepUp();
            return TurnReport.NOTHING;
        }
        expected = false;
        TurnProgress progress = progress();
        Step step = foldAndHandOver(progress);
        if (step == Step.FAILED) {
            Optional<Timestamp> folded = folding.foldAll(progress);
            if (folded.isEmpty()) {
                return TurnReport.NOT_MINE;
            }
            horizon = folded.get();
        }
        labels.keepUp();
        if (step != Step.DONE) {
            handingOver.handOverAll(horizon, false, progress);
        }
        lateMarks.markNowAndThen();
        return progress.report();
    }

    /** Changes have been seen: the next turn need not check whether there are any. */
    void expectWork() {
        expected = true;
    }

    private boolean hasWork() throws SQLException {
        Map<String, Long> from = Map.of("floor", floor().begin());
        long now = System.nanoTime();
        Work work = transactions.inOne(c -> turnHasWork.row(c, from, Work.class));
        policies().areInForce(work.policies(), now);
        return work.hasWork();
    }

    /** @param force also hands over what is not ripe yet */
    public synchronized TurnReport takeAll(boolean force) throws SQLException {
        TurnProgress progress = progress();
        Optional<Timestamp> folded = folding.foldAll(progress);
        if (folded.isEmpty()) {
            return TurnReport.NOT_MINE;
        }
        horizon = folded.get();
        Timestamp until = force ? new Timestamp(PGStatement.DATE_POSITIVE_INFINITY) : horizon;
        handingOver.handOverAll(until, true, progress);
        lateMarks.mark();
        return progress.report();
    }

    /** Something ripe was left in the queue because there was no room for its calls. */
    public boolean isMoreRipe() {
        return handingOver.isMoreRipe();
    }

    /**
     * Called when there is room again: hands over what the last turn found ripe and left, without folding newer
     * changes.
     */
    public synchronized TurnReport takeMore() throws SQLException {
        TurnProgress progress = progress();
        handingOver.handOverAll(horizon, false, progress);
        return progress.report();
    }

    private TurnProgress progress() {
        return new TurnProgress(lanes, begin, coalescing);
    }

    /**
     * The usual case, in one transaction: little has committed since the last turn, no one else has locked any of it,
     * and there is room for its calls.
     */
    private Step foldAndHandOver(TurnProgress progress) throws SQLException {
        Claims claims = lanes.claims();
        if (claims.full() || folding.hasLocked() || handingOver.hasAside()) {
            return Step.FAILED;
        }
        long candidate = transactions.in(floor()::candidate);
        int rows = HandingOverInBatches.rows(HandingOverInBatches.ROWS, claims);
        try {
            Both both = transactions.in(c -> {
                if (!turnLock.isMine(c)) {
                    return null;
                }
                Fold.Folded folded = fold.oldest(c, FoldingInBatches.ROWS, List.of());
                HandOver.Handed handed = folded.taken() < FoldingInBatches.ROWS
                        ? handingOver.take(c, folded.horizon(), HandOver.Share.of(rows), claims, false)
                        : folding.urgentOfTheNewest(c, List.of(), claims);
                return new Both(folded, handed);
            });
            if (both == null || both.handed() == null) {
                return Step.FAILED;
            }
            handingOver.committed(claims, both.handed(), progress);
            if (both.folded().taken() == FoldingInBatches.ROWS) {
                return Step.FAILED; // only urgent tags were handed over
            }
            folding.folded(both.folded().taken());
            horizon = both.folded().horizon();
            floor().raise(candidate);
            return both.handed().buckets() < rows ? Step.DONE : Step.MORE;
        } catch (SQLException e) {
            GiveWay.orThrow(e);
            return Step.FAILED;
        }
    }
}
