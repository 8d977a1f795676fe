package dev.freshet.deliver;

import dev.freshet.deliver.policy.Policy;

/**
 * One tag owed to one target, claimed under a lease.
 *
 * @param company how many tags its call may carry at most
 * @param batch how many tags any call to the target may carry; 1 means a body for a single tag
 * @param changed (System.nanoTime) when the oldest change that it covers was made, by the database's clock
 * @param owed (System.nanoTime) since when the oldest part of it is owed
 * @param deadline (System.nanoTime) no attempt may begin after this, because the lease would expire during it
 * @param retry it has failed before, or it was given up and replayed
 * @param policy the policy in force when this was claimed
 */
public record Delivery(
        String target,
        String tag,
        long id,
        long handover,
        String lease,
        int company,
        int batch,
        long changed,
        long owed,
        long deadline,
        boolean retry,
        Policy policy) {
    /** Deliveries are looked up in sets once per tag. Hashing all components took 3 % of a young process's time. */
    @Override
    public int hashCode() {
        return Long.hashCode(31 * id + handover);
    }
}
