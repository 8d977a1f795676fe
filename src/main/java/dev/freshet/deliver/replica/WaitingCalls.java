package dev.freshet.deliver.replica;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits for read replicas, the oldest first: positions, each with what is to be run. Whoever uses it holds the
 * lock of {@link ReplicaStandings}, but for {@link #waitSeconds()} and {@link #begin}.
 */
final class WaitingCalls {
    /** Whoever reads the log knows this part of Freshet by that name. */
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

    private record Waiting(long position, long since, Runnable go) {}

    private final List<Waiting> waiting = new ArrayList<>();
    private volatile double waitSeconds;

    void add(long position, long now, Runnable go) {
        waiting.add(new Waiting(position, now, go));
    }

    /** Another one did not have to wait: the usual wait is shorter. */
    void passed() {
        waitSeconds *= 0.75;
    }

    /** What none of the replicas holds back any more. */
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

    /** To be called without the lock. One that fails takes no other with it; its lease ends by itself. */
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

    /** How long calls wait at present. */
    double waitSeconds() {
        return waitSeconds;
    }

    void clear() {
        waiting.clear();
    }
}
