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

/** The statements that make what each target is owed of ripe rows, and claim it as far as there is room. */
final class HandOver {
    /**
     * @param changes null where nothing was ripe
     * @param due targets that were owed something already, which may be claimed now
     * @param fenced whether somebody waits for a fence
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

    /** How many rows of each kind a hand-over takes, and of which priority at least. */
    record Share(int byBucket, int atMoment, int lowest) {
        private static final int URGENT = 6;

        static Share of(int rows) {
            return new Share(rows, rows, 0);
        }

        static Share ofUrgent(int rows) {
            return new Share(0, rows, URGENT);
        }
    }

    /** @param aside tags that are left in the queue for now */
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
     * @param since the oldest bucket that is looked at
     * @param aside tags that are left in the queue for now
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

    /** Of what the next hand-over would take, the tags of which a delivery is held by somebody else. */
    List<String> heldByOthers(Connection connection, Timestamp horizon, int limit, List<String> aside)
            throws SQLException {
        return lockedDeliveries.rows(connection, new Locked(ripe(horizon, aside), limit), String.class);
    }

    Optional<String> oldestTag(Connection connection, Timestamp horizon, List<String> aside) throws SQLException {
        return oldestRipe.firstRow(connection, ripe(horizon, aside), String.class);
    }

    /** @return false: there is no such tag in the queue or the inbox any more */
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
