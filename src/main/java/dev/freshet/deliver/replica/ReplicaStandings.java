package dev.freshet.deliver.replica;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.Transactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The standings of all replicas and the calls that wait for them, under one lock. The consequences of a change (news,
 * calls that may begin) are carried out after the lock is released.
 */
final class ReplicaStandings {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition isOver = lock.newCondition();
    private final List<Replica> replicas;
    private final WaitingCalls waiting = new WaitingCalls();
    private final Written positions = new Written();
    private final Replicas.Listener listener;
    private volatile boolean stopped;

    ReplicaStandings(List<DatabaseUrl> addresses, Duration wait, Transactions primary, Replicas.Listener listener) {
        this.listener = listener;
        this.replicas = addresses.stream()
                .map(address -> Replica.at(address, primary, wait, lock.newCondition()))
                .toList();
    }

    List<Replica> replicas() {
        return replicas;
    }

    boolean isStopped() {
        return stopped;
    }

    void whenReplayed(long position, Runnable go) {
        if (!replicas.isEmpty() && !isReplayedOrWaits(position, go)) {
            return;
        }
        go.run();
    }

    private boolean isReplayedOrWaits(long position, Runnable go) {
        lock.lock();
        try {
            long now = System.nanoTime();
            positions.note(position, now);
            List<Replica> behind = replicas.stream()
                    .filter(each -> each.standing().holdsBack(position))
                    .toList();
            if (behind.isEmpty()) {
                waiting.passed();
                return !stopped;
            }
            if (!stopped) {
                waiting.add(position, now, go);
                behind.forEach(each -> each.isWanted().signal());
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    double waitSeconds() {
        return waiting.waitSeconds();
    }

    List<Replicas.Seen> seen() {
        lock.lock();
        try {
            long now = System.nanoTime();
            return replicas.stream()
                    .map(each -> each.seen(now, lacksSince(each)))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    /** Null: it lacks nothing that is known. */
    private Long lacksSince(Replica replica) {
        return positions.beyondSince(replica.standing().replayed());
    }

    void asks(Replica replica) {
        locked(() -> replica.standing().asks(System.nanoTime()));
    }

    void answered(Replica replica, long position) {
        locked(() -> {
            Long beyondSince = positions.beyondSince(position);
            return replica.standing().answered(System.nanoTime(), position, beyondSince)
                    ? List.of(new ReplicaNews(replica.name(), false, null))
                    : List.of();
        });
    }

    void failed(Replica replica, String why) {
        locked(() -> replica.standing().failed(why));
    }

    /** Time alone may cause a replica to be passed over. */
    void lookAtTheClock() {
        locked(() -> {});
    }

    private void locked(Runnable change) {
        locked(() -> {
            change.run();
            return List.of();
        });
    }

    /** The consequences are carried out after the lock is released. */
    private void locked(Supplier<List<ReplicaNews>> change) {
        List<ReplicaNews> news = new ArrayList<>();
        List<Runnable> free = new ArrayList<>();
        lock.lock();
        try {
            news.addAll(change.get());
            news.addAll(overdue());
            free.addAll(takeWhatIsReplayed());
        } finally {
            lock.unlock();
        }
        news.forEach(each -> each.tell(listener));
        free.forEach(WaitingCalls::begin);
    }

    private List<ReplicaNews> overdue() {
        List<ReplicaNews> news = new ArrayList<>();
        long now = System.nanoTime();
        for (Replica each : stopped ? List.<Replica>of() : replicas) {
            String why = each.standing().overdue(now, lacksSince(each));
            if (why != null) {
                news.add(new ReplicaNews(each.name(), true, why));
            }
        }
        return news;
    }

    private List<Runnable> takeWhatIsReplayed() {
        List<Runnable> free = waiting.takeReplayed(position ->
                replicas.stream().anyMatch(replica -> replica.standing().holdsBack(position)));
        replicas.stream().mapToLong(each -> each.standing().replayed()).min().ifPresent(positions::forget);
        return free;
    }

    /** Waits until it is time to ask this replica again. */
    void rest(Replica replica) {
        long began = System.nanoTime();
        lock.lock();
        try {
            for (long left = replica.pause(waiting);
                    left > 0 && !stopped;
                    left = replica.pause(waiting) - (System.nanoTime() - began)) {
                replica.isWanted().awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for this time, or until Freshet stops. */
    void awaitStop(long nanos) throws InterruptedException {
        lock.lock();
        try {
            isOver.awaitNanos(nanos);
        } finally {
            lock.unlock();
        }
    }

    /** No calls begin any more: what waits is handed back. */
    void stop() {
        stopped = true;
        lock.lock();
        try {
            waiting.clear();
            replicas.forEach(each -> each.isWanted().signal());
            isOver.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
