package dev.freshet.deliver.replica;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits for read replicas, oldest first: positions, each with a task. Callers must hold the lock of {@link
 * ReplicaStandings}, except for {@link #waitSeconds()} and {@link #begin}.
 */
final class WaitingCalls {
    /** The logger's name is the one that operators know for this part of Freshet. */
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

    private record Waiting(long position, long since, Runnable go) {}

    private final List<Waiting> waiting = new ArrayList<>();
    private volatile double waitSeconds;

    void add(long position, long now, Runnable go) {
        waiting.add(new Waiting(position, now, go));
    }

    /** A call did not have to wait: this lowers the average wait. */
    void passed() {
        waitSeconds *= 0.75;
    }

    /** Removes and returns the tasks that no replica holds back any more. */
    List<Runnable> takeReplayed(LongPredicate isHeldBack) {
        List<Runnable> free = new ArrayList<>();
        long now = System.nanoTime();
        double oldest = 0;
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
            Waiting next = each.next();
            double waited = (now - next.since) / 1e9;
            if (isHeldBack.test(next.position)) {
                oldest = Math.max(oldest, waited);
            } else {
                free.add(next.go);
                each.remove();
                waitSeconds += (waited - waitSeconds) / 4;
            }
        }
        waitSeconds = Math.max(waitSeconds, oldest);
        return free;
    }

    /** Must be called without the lock. A task that fails does not affect the others; its lease ends by itself. */
    static void begin(Runnable go) {
        try {
            go.run();
        } catch (RuntimeException e) {
            LOG.warn("A call that waited for read replicas could not begin: {}", e.toString());
        }
    }

    /** Since when (System.nanoTime) the oldest of those waits that are held back. */
    Optional<Long> oldestSince(LongPredicate isHeldBack) {
        return waiting.stream()
                .filter(each -> isHeldBack.test(each.position))
                .findFirst()
                .map(Waiting::since);
    }

    /** How long calls currently wait. */
    double waitSeconds() {
        return waitSeconds;
    }

    void clear() {
        waiting.clear();
    }
}
