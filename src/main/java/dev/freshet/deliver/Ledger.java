package dev.freshet.deliver;

import dev.freshet.run.stop.HandsBackOnStop;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Collects the outcomes of calls until they are written, many in one transaction. Only then is there room in the lanes
 * for more. Outcomes that arrive while one settlement is being written go into the next.
 */
public final class Ledger implements HandsBackOnStop {
    /** A finished call and what is to be recorded of it. */
    public record Entry(Call call, List<Outcome> outcomes) {}

    /** A target's breaker has opened or closed: what the route {@code breaker-changed} gets. */
    public record BreakerChange(String target, boolean open) {}

    /** The number of tags that is worth a transaction while others are under way. */
    private static final int WORTH_IT = 250;
    /** A transaction with more tags would hold its locks for long. */
    private static final int ENOUGH_TAGS = 500;

    /**
     * The thread that notes the last outcome wakes the settler. Everything else that shortens the wait is noticed by a
     * check at this interval.
     */
    private static final long GLANCE_NANOS = 5_000_000;

    private final ConcurrentLinkedQueue<Entry> noted = new ConcurrentLinkedQueue<>();
    private final AtomicInteger notedTags = new AtomicInteger();
    private final Settlement settlement;
    private final Lanes lanes;
    private final long lingerNanos;
    private final Runnable wake;
    private final Consumer<BreakerChange> breakerChanged;
    private volatile Runnable afterSettling = () -> {};
    private volatile Thread waiting;

    /**
     * @param linger how long outcomes wait for others while calls are under way
     * @param wake wakes the route that takes and settles them
     * @param breakerChanged is told of breakers when the settlement has been committed. It must not take long.
     */
    public Ledger(
            Settlement settlement,
            Lanes lanes,
            Duration linger,
            Runnable wake,
            Consumer<BreakerChange> breakerChanged) {
        this.settlement = settlement;
        this.lanes = lanes;
        this.lingerNanos = linger.toNanos();
        this.wake = wake;
        this.breakerChanged = breakerChanged;
    }

    /** Registers a callback that runs after each settlement has been committed. It must not take long. */
    public void afterSettling(Runnable told) {
        afterSettling = told;
    }

    public void note(Entry entry) {
        noted.add(entry);
        if (notedTags.getAndAdd(entry.outcomes().size()) == 0) {
            wake.run();
        }
        Thread settler = waiting;
        if (settler != null && isWorthIt()) {
            LockSupport.unpark(settler);
        }
    }

    private boolean isWorthIt() {
        int tags = notedTags.get();
        return tags >= WORTH_IT || tags >= lanes.tagsInHand();
    }

    /** Ensures that noted outcomes get settled soon, even if the settling route was replaced meanwhile. */
    public void wakeForWhatIsNoted() {
        if (!noted.isEmpty()) {
            wake.run();
        }
    }

    /** The outcomes that have been noted, or the oldest of them. */
    public List<Entry> take() {
        waitForMore();
        List<Entry> taken = new ArrayList<>();
        int tags = 0;
        while (tags < ENOUGH_TAGS) {
            Entry entry = noted.poll();
            if (entry == null) {
                break;
            }
            taken.add(entry);
            tags += entry.outcomes().size();
        }
        if (notedTags.addAndGet(-tags) > 0) {
            wake.run();
        }
        return taken;
    }

    private void waitForMore() {
        long end = System.nanoTime() + lingerNanos;
        waiting = Thread.currentThread();
        long left = lingerNanos;
        while (left > 0 && !isWorthIt()) {
            LockSupport.parkNanos(this, Math.min(GLANCE_NANOS, left));
            left = end - System.nanoTime();
        }
        waiting = null;
    }

    public void settle(List<Entry> entries) throws SQLException {
        if (!entries.isEmpty()) {
            settle(
                    entries,
                    settlement.settle(
                            entries.stream().flatMap(e -> e.outcomes().stream()).toList()));
            afterSettling.run();
        }
    }

    /** Writes the known outcomes first. Only deliveries without an outcome are handed back. */
    @Override
    public void handBack() throws Exception {
        List<Entry> entries = new ArrayList<>();
        for (Entry entry = noted.poll(); entry != null; entry = noted.poll()) {
            entries.add(entry);
        }
        settle(entries);
        settlement.handBack(lanes.held());
    }

    /** The database was away for too long: the leases expire by themselves and the calls are made again. */
    public void giveUp(List<Entry> entries) {
        settle(entries, Settled.NOTHING);
    }

    private void settle(List<Entry> entries, Settled settled) {
        lanes.settled(
                entries.stream().flatMap(e -> e.call().deliveries().stream()).toList(), settled);
        settled.breakers().forEach((target, open) -> breakerChanged.accept(new BreakerChange(target, open)));
    }
}
