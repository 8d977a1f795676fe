package dev.freshet.deliver;

import dev.freshet.deliver.policy.Policies;
import dev.freshet.deliver.replica.Replicas;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Predicate;

/** Decides how much may be claimed for each lane, and makes calls of what was claimed. */
final class LaneClaims {
    private static final int RANKS = 3;
    private static final Comparator<Delivery> HIGHEST_FIRST =
            Comparator.comparingInt(delivery -> -delivery.policy().priority());

    private final Map<String, Lane> lanes;
    private final Predicate<Lane> isServed;
    private final Budgets budgets;
    private final Policies policies;
    private final Lanes.Terms terms;
    private final Replicas replicas;
    private final ClaimedDeliveries deliveries;

    LaneClaims(
            Map<String, Lane> lanes,
            Predicate<Lane> isServed,
            Budgets budgets,
            Policies policies,
            Lanes.Terms terms,
            Replicas replicas) {
        this.lanes = lanes;
        this.isServed = isServed;
        this.budgets = budgets;
        this.policies = policies;
        this.terms = terms;
        this.replicas = replicas;
        this.deliveries = new ClaimedDeliveries(policies, terms);
    }

    Claims forHandOver() {
        long now = System.nanoTime();
        List<Claims.Room> targets = new ArrayList<>();
        boolean serves = false;
        for (Lane lane : lanes.values()) {
            // what follows another target is not due yet: claim.sql finds it when it is
            if (lane.target().isTakesQueue() && lane.target().getAfter() == null && isServed.test(lane)) {
                serves = true;
                int room = room(lane);
                int urgent = Math.max(room, urgentRoom(lane));
                if (urgent > 0) {
                    String lease = UUID.randomUUID().toString();
                    targets.add(new Claims.Room(lane.target().getName(), room, urgent, lease));
                }
            }
        }
        boolean isFull = serves && targets.stream().noneMatch(target -> target.room() > 0);
        return new Claims(targets, terms.lease().toMillis() / 1000.0, now, isFull, replicas.areThere());
    }

    /** How many tags the lane may take now, given its calls under way and its budget. */
    private int room(Lane lane) {
        int room = isServed.test(lane) ? lane.room(replicas.waitSeconds()) : 0;
        return room > 0 ? Math.max(0, Math.min(room, budgets.tagsAtHand(lane.target(), false) - lane.waiting())) : 0;
    }

    /** How many urgent tags the lane may take; call this after {@link #room(Lane)}. */
    private int urgentRoom(Lane lane) {
        int room = policies.hasUrgent() ? lane.urgentRoom() : 0;
        return room > 0
                ? Math.max(0, Math.min(room, budgets.tagsAtHand(lane.target(), true) - lane.waitingUrgent()))
                : 0;
    }

    List<List<Call>> handedOver(Claims claims, long handover, List<Claims.Claimed> claimed) {
        List<List<Call>> calls = new ArrayList<>();
        for (Claims.Room room : claims.targets()) {
            Lane lane = lanes.get(room.target());
            List<Delivery> deliveries = new ArrayList<>();
            for (Claims.Claimed each : claimed) {
                if (lane != null && each.target().equals(room.target())) {
                    Delivery delivery =
                            this.deliveries.handedOver(lane.target(), each, handover, room.lease(), claims.at());
                    lane.hold(delivery);
                    deliveries.add(delivery);
                }
            }
            if (!deliveries.isEmpty()) {
                deliveries.sort(HIGHEST_FIRST);
                calls.add(Call.together(deliveries));
            }
        }
        return calls;
    }

    List<Map<String, Object>> withRoom() {
        List<Map<String, Object>> claims = new ArrayList<>();
        for (Lane lane : lanes.values()) {
            boolean mayHaveDue = lane.mayHaveDue() && isServed.test(lane);
            int room = mayHaveDue ? room(lane) : 0;
            int urgent = mayHaveDue ? Math.max(room, urgentRoom(lane)) : 0;
            if (urgent > 0) {
                lane.looks();
                claims.add(claim(lane, room, urgent));
            }
        }
        return claims;
    }

    private Map<String, Object> claim(Lane lane, int room, int urgent) {
        Map<String, Object> claim = new HashMap<>();
        claim.put("target", lane.target().getName());
        claim.put("limit", room);
        claim.put("urgentLimit", urgent);
        claim.put("lowestFirst", lane.isTurnOfTheLowest());
        claim.put("retries", lane.roomForRetries());
        claim.put("freshWithinSeconds", lane.freshLookBack().seconds());
        claim.put("retriesWithinSeconds", lane.retriesLookBack().seconds());
        claim.put("lease", UUID.randomUUID().toString());
        claim.put("leaseSeconds", terms.lease().toMillis() / 1000.0);
        claim.put("probeSeconds", terms.probe().toMillis() / 1000.0);
        claim.put("probeMaxSeconds", terms.probeMax().toMillis() / 1000.0);
        claim.put("hasReplicas", replicas.areThere());
        // before the database starts counting, so that the lease ends here first
        claim.put("claimedAt", System.nanoTime());
        return claim;
    }

    List<Call> claimed(Map<String, Object> claim, List<Map<String, Object>> found) {
        Lane lane = lanes.get((String) claim.get("target"));
        if (lane == null) {
            return List.of();
        }
        if (found.isEmpty()) {
            if ((Integer) claim.get("retries") == 0 || (Integer) claim.get("limit") == 0) {
                lane.lookAgain(); // the claim did not look for retries, or for what is not urgent
            }
            return List.of();
        }
        lane.setOpen(false); // the database returns only what may be tried
        long claimedAt = (Long) claim.get("claimedAt");
        List<DueDelivery> rows = found.stream()
                .map(DueDelivery::of)
                .sorted(Comparator.comparing(DueDelivery::rank)
                        .thenComparing(DueDelivery::dueSeconds, Comparator.reverseOrder()))
                .toList();
        policies.areInForce(rows.get(0).policies(), claimedAt);
        noteWhatWasEmptied(lane, claim, claimedAt, rows);
        List<Delivery> deliveries = new ArrayList<>(rows.size());
        for (DueDelivery row : rows) {
            Delivery delivery = this.deliveries.due(lane.target(), row, claimedAt);
            lane.hold(delivery);
            deliveries.add(delivery);
        }
        deliveries.sort(HIGHEST_FIRST);
        Long position = rows.stream()
                .map(DueDelivery::position)
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse(null);
        return Call.covering(position, Call.together(deliveries));
    }

    /**
     * A claim that returned fewer rows than it asked for has taken everything that was due, unless the target goes
     * after another one: then the claim asks about the oldest only, and the next one about those behind them.
     */
    private static void noteWhatWasEmptied(
            Lane lane, Map<String, Object> claim, long claimedAt, List<DueDelivery> rows) {
        int[] taken = new int[RANKS];
        rows.forEach(row -> taken[row.rank()]++);
        if (rows.size() == 1 || rows.size() >= (Integer) claim.get("limit")) {
            lane.lookAgain(); // a single row may be a probe
            return;
        }
        if (lane.target().getAfter() != null) {
            lane.lookAgain();
            return;
        }
        lane.freshLookBack().emptied(claimedAt);
        int retries = (Integer) claim.get("retries");
        if (taken[1] >= retries || taken[2] >= retries) {
            lane.lookAgain();
        } else {
            lane.retriesLookBack().emptied(claimedAt);
        }
    }
}
