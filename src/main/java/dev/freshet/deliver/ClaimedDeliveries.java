package dev.freshet.deliver;

import dev.freshet.deliver.policy.Policies;

/** Turns what a hand-over or a claim has claimed into the deliveries that calls are made of. */
final class ClaimedDeliveries {
    private final Policies policies;
    private final Lanes.Terms terms;

    ClaimedDeliveries(Policies policies, Lanes.Terms terms) {
        this.policies = policies;
        this.terms = terms;
    }

    /** @param claimedAt when the claiming statement was sent (System.nanoTime) */
    Delivery handedOver(Target target, Claims.Claimed claimed, long handover, String lease, long claimedAt) {
        int batch = target.getBatch();
        return new Delivery(
                claimed.target(),
                claimed.tag(),
                claimed.id(),
                handover,
                lease,
                batch,
                batch,
                before(claimedAt, claimed.ageSeconds()),
                claimedAt,
                deadline(claimedAt),
                false,
                policies.of(claimed.tag()));
    }

    Delivery due(Target target, DueDelivery row, long claimedAt) {
        int batch = target.getBatch();
        return new Delivery(
                target.getName(),
                row.tag(),
                row.id(),
                row.handover(),
                row.lease(),
                row.company(batch),
                batch,
                before(claimedAt, row.ageSeconds()),
                before(claimedAt, row.owedSeconds()),
                deadline(claimedAt),
                row.isRetry(),
                policies.of(row.tag()));
    }

    private static long before(long claimedAt, double seconds) {
        return claimedAt - (long) (Math.max(0, seconds) * 1e9);
    }

    private long deadline(long claimedAt) {
        return claimedAt + terms.lease().minus(terms.attempt()).toNanos();
    }
}
