package dev.freshet.deliver;

/**
 * One tag owed to one target, claimed under a lease.
 *
 * @param company  how many tags its call may carry at most
 * @param last     nothing follows that its call could wait for
 * @param changed  (System.nanoTime) when the oldest change that it covers was made, by the database's clock
 * @param deadline (System.nanoTime) after which no attempt may begin: the lease would run out during it
 * @param retry    it has failed before, or was given up and is replayed
 */
public record Delivery(String target, String tag, long id, long handover, String lease, int company, long changed, long deadline,
                       boolean last, boolean retry) {
    /** What may share a call: everything for the target, or nothing else when it goes alone. */
    public String gatheredBy() {
        return company == 1 ? target + '\n' + tag : target + '\n' + company;
    }
}
