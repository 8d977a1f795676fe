package dev.freshet.deliver;

import dev.freshet.settings.Addresses;
import java.util.List;

/** The settings that a file under routes/targets gives for its target. The route of the same name makes the call. */
public final class Target {
    private static final int DEFAULT_CONCURRENCY = 8;
    private static final int MOST_TAGS = 10_000;
    private static final int MOST_CALLS = 1_000;
    private static final int MOST_A_SECOND = 100_000;

    private String name;
    private int batch = 1;
    private int concurrency;
    private int rate;
    private boolean takesQueue = true;
    private Limits limits = Limits.NONE;
    private String budget;
    private List<Addresses.Listed> addresses = List.of();
    private boolean resolvesNames;
    private Copy copy;
    private String after;

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
        setAfter(after);
    }

    public int getBatch() {
        return batch;
    }

    /** Maximum number of tags in one call. */
    public void setBatch(int batch) {
        this.batch = between("batch", batch, 1, MOST_TAGS);
    }

    public int getConcurrency() {
        return concurrency == 0 ? DEFAULT_CONCURRENCY : concurrency;
    }

    boolean saysConcurrency() {
        return concurrency > 0;
    }

    /** Maximum number of concurrent calls; its route gets as many consumers (TargetRoutes). */
    public void setConcurrency(int concurrency) {
        this.concurrency = between("concurrency", concurrency, 1, MOST_CALLS);
    }

    public int getRate() {
        return rate;
    }

    /** Maximum number of calls that begin within a second; 0: unlimited. */
    public void setRate(int rate) {
        this.rate = between("rate", rate, 0, MOST_A_SECOND);
    }

    public boolean isTakesQueue() {
        return takesQueue;
    }

    /** False for a target that gets only what is sent to it by name. */
    public void setTakesQueue(boolean takesQueue) {
        this.takesQueue = takesQueue;
    }

    public Limits getLimits() {
        return limits;
    }

    /** What its provider allows for all instances together, such as {@code 25 calls, 5/min}. */
    public void setLimits(String limits) {
        this.limits = Limits.of(limits);
    }

    /** Calls that begin within a second, counted over all instances. */
    void setSharedRate(int rate) {
        this.limits = Limits.callsASecond(between("rate", rate, 0, MOST_A_SECOND));
    }

    /** Names the budget that these limits belong to. Targets of one account use the same name. */
    public String getBudget() {
        return budget == null ? name : budget;
    }

    public void setBudget(String budget) {
        this.budget = budget;
    }

    /** The target that must be told of each tag before this one; null: none. */
    public String getAfter() {
        return after;
    }

    public void setAfter(String after) {
        this.after = after == null || after.isBlank() ? null : after.strip();
        if (this.after != null && this.after.equals(name)) {
            throw new IllegalArgumentException("after is " + after + ": write the name of another target");
        }
    }

    /**
     * The target's address, or a comma-separated list of addresses, each of which gets every call. The route sends to
     * {@code ${variable.address}}.
     */
    public void setAddress(String address) {
        this.addresses = address == null || address.isBlank() ? List.of() : Addresses.of(address);
    }

    List<Addresses.Listed> addresses() {
        return addresses;
    }

    /** dns: each host name stands for all addresses that it resolves to; none: only for itself. */
    public void setFanout(String fanout) {
        if (!fanout.equals("dns") && !fanout.equals("none")) {
            throw new IllegalArgumentException("fanout is " + fanout + ": write dns or none");
        }
        this.resolvesNames = fanout.equals("dns");
    }

    boolean resolves(Addresses.Listed listed) {
        return resolvesNames && listed.isName();
    }

    /** Whether it is called at several addresses, each of which the database knows as a target. */
    boolean hasCopies() {
        return addresses.size() > 1 || addresses.stream().anyMatch(this::resolves);
    }

    /** Its copy at that address: a target of its own with the same settings. */
    Target at(Copy there) {
        Target target = new Target();
        target.name = there.name();
        target.batch = batch;
        target.concurrency = concurrency;
        target.rate = rate;
        target.takesQueue = takesQueue;
        target.limits = limits;
        target.budget = getBudget().equals(name) ? null : budget;
        target.copy = there;
        target.after = after;
        return target;
    }

    /** Where its calls go; null if only the route knows. */
    Copy copy() {
        return copy == null && addresses.size() == 1
                ? new Copy(name, addresses.get(0).url(), null)
                : copy;
    }

    private static int between(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    what + " is " + value + ": write a whole number from " + least + " to " + most);
        }
        return value;
    }
}
