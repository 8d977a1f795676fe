package dev.freshet.deliver.replica;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.Transactions;
import java.time.Duration;
import java.util.concurrent.locks.Condition;

/**
 * One replica: its name, its connection, its standing and when it is asked again.
 *
 * @param standing read and changed only under the lock of {@link ReplicaStandings}
 * @param isWanted a condition of that lock: wakes the thread that asks this replica
 */
record Replica(String name, ReplicaSession session, ReplicaStanding standing, Condition isWanted) {
    private static final long IDLE_NANOS = Duration.ofSeconds(5).toNanos();
    private static final long TROUBLED_NANOS = Duration.ofMillis(250).toNanos();
    /** While a call waits, the pause is an eighth of the time that it has waited, within these bounds. */
    private static final long SHORTEST_NANOS = Duration.ofMillis(1).toNanos();

    private static final long LONGEST_NANOS = Duration.ofMillis(25).toNanos();

    static Replica at(DatabaseUrl address, Transactions primary, Duration wait, Condition isWanted) {
        return new Replica(
                ReplicaAddresses.name(address),
                new ReplicaSession(address, primary),
                new ReplicaStanding(wait),
                isWanted);
    }

    /** How long after an answer it is asked again if nothing else happens. */
    long pause(WaitingCalls waiting) {
        if (standing.isInTrouble() || standing.isPassedOver()) {
            return TROUBLED_NANOS;
        }
        long now = System.nanoTime();
        return waiting.oldestSince(standing::holdsBack)
                .map(since -> Math.max(SHORTEST_NANOS, Math.min(LONGEST_NANOS, (now - since) / 8)))
                .orElse(IDLE_NANOS);
    }

    /** @param beyondSince since when there has been something that it lacks; null: nothing */
    Replicas.Seen seen(long now, Long beyondSince) {
        return new Replicas.Seen(
                name,
                standing.isPassedOver(),
                standing.passedOverAt(),
                standing.lagSeconds(now, beyondSince),
                standing.says(now, beyondSince));
    }
}
