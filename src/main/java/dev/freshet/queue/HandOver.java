package dev.freshet.queue;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.deliver.Claims;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The statements that turn ripe rows of the queue into deliveries for each target, and claim as many of those as there
 * is room for.
 */
final class HandOver {
    /**
     * @param changes null if nothing was ripe
     * @param due targets that have deliveries which are due now and that this hand-over did not claim
     * @param fenced whether any fence waits for rows of the queue
     * @param position in the write-ahead log, for read replicas
     */
    record Handed(
            List<String> tags,
            int buckets,
            long handover,
            Long changes,
            long calls,
            List<String> claimedTargets,
            List<String> claimedTags,
            List<Long> claimedIds,
            List<Double> claimedAges,
            List<String> due,
            long policies,
            Boolean fenced,
            Long position) {

        List<Claims.Claimed> claimed() {
            List<Claims.Claimed> claimed = new ArrayList<>(claimedTargets.size());
            for (int i = 0; i < claimedTargets.size(); i++) {
                claimed.add(new Claims.Claimed(
                        claimedTargets.get(i), claimedTags.get(i), claimedIds.get(i), claimedAges.get(i)));
            }
            return claimed;
        }
    }

    /** How many rows of each kind a hand-over takes, and their lowest priority. */
    record Share(int byBucket, int atMoment, int lowest) {
        private static final int URGENT = 6;

        static Share of(int rows) {
            return new Share(rows, rows, 0);
        }

        static Share ofUrgent(int rows) {
            return new Share(0, rows, URGENT);
        }
    }

    /** @param aside tags that stay in the queue for now */
    private record Ripe(Timestamp horizon, double debounceSeconds, List<String> aside) {}

    private record Locked(Ripe ripe, int limit) {}

    /** @param claims as JSON */
    private record Taking(
            Ripe ripe,
            Timestamp since,
            int limit,
            int momentLimit,
            int lowest,
            String claims,
            double leaseSeconds,
            boolean hasReplicas) {}

    private final SqlFile handOver = SqlFile.of("queue/hand-over");
    private final SqlFile lockedDeliveries = SqlFile.of("queue/locked-deliveries");
    private final SqlFile oldestRipe = SqlFile.of("queue/oldest-ripe");
    private final SqlFile owePastQueue = SqlFile.of("queue/owe-past-queue");
    private final double debounceSeconds;
    private final FenceNotes fences;

    HandOver(Duration debounce, FenceNotes fences) {
        this.debounceSeconds = debounce.toMillis() / 1000.0;
        this.fences = fences;
    }

    /**
     * @param since the oldest bucket that is considered
     * @param aside tags that stay in the queue for now
     */
    Handed take(
            Connection connection, Timestamp horizon, Timestamp since, Share share, List<String> aside, Claims claims)
            throws SQLException {
        Taking which = new Taking(
                ripe(horizon, aside),
                since,
                share.byBucket(),
                share.atMoment(),
                share.lowest(),
                Json.text(claims.targets()),
                claims.leaseSeconds(),
                claims.hasReplicas());
        Handed handed = handOver.row(connection, which, Handed.class);
        if (Boolean.TRUE.equals(handed.fenced())) {
            fences.handedOver(connection, handed.tags());
        }
        return handed;
    }

    /** Of the tags that the next hand-over would take, those with a delivery that someone else has locked. */
    List<String> heldByOthers(Connection connection, Timestamp horizon, int limit, List<String> aside)
            throws SQLException {
        return lockedDeliveries.rows(connection, new Locked(ripe(horizon, aside), limit), String.class);
    }

    Optional<String> oldestTag(Connection connection, Timestamp horizon, List<String> aside) throws SQLException {
        return oldestRipe.firstRow(connection, ripe(horizon, aside), String.class);
    }

    /** @return false if neither the queue nor the inbox has this tag any more */
    boolean owePastQueue(Connection connection, String tag) throws SQLException {
        if (owePastQueue.update(connection, Map.of("tag", tag)) == 0) {
            return false;
        }
        fences.owedPastTheQueue(connection, tag);
        return true;
    }

    private Ripe ripe(Timestamp horizon, List<String> aside) {
        return new Ripe(horizon, debounceSeconds, aside);
    }
}
