package dev.freshet.deliver;

import dev.freshet.deliver.policy.Policies;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Decides which calls may begin: the lease leaves time for the call, the target answers, its route exists, its limits
 * allow the call, and the call carries the profile that the policies of its tags require now.
 */
final class CallPermits {
    private final Map<String, Lane> lanes;
    private final Budgets budgets;
    private final Policies policies;
    private final Set<String> onHold = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    CallPermits(Map<String, Lane> lanes, Budgets budgets, Policies policies) {
        this.lanes = lanes;
        this.budgets = budgets;
        this.policies = policies;
    }

    /** No calls begin any more. */
    void stop() {
        stopping = true;
    }

    /** The target's route is temporarily not available. */
    void hold(String target) {
        onHold.add(target);
    }

    void resume(String target) {
        onHold.remove(target);
    }

    boolean isServed(Lane lane) {
        return !stopping && !isOnHold(lane.target().getName());
    }

    boolean isOnHold(String target) {
        return onHold.contains(Copy.targetOf(target));
    }

    /**
     * Called before every attempt. Waits for its turn if the target takes only a limited number of calls per second.
     */
    boolean grant(Call call) {
        Lane lane = lanes.get(call.getTarget());
        boolean granted = true;
        if (lane != null && mayBegin(call)) {
            lane.pace().await(lane.target().getRate(), () -> mayBegin(call));
            granted = budgets.grant(lane.target(), call.size(), call.isUrgent(), () -> mayBegin(call));
            lane.begins(call.deliveries());
        }
        policies.keepCurrent();
        call.begin();
        return granted && mayBegin(call) && hasItsProfile(call);
    }

    /**
     * If a tag got another profile since the claim, the call does not begin and its tags return with the new profile.
     */
    private boolean hasItsProfile(Call call) {
        return call.getTags().stream()
                .allMatch(tag -> Objects.equals(policies.of(tag).profile(), call.profile()));
    }

    private boolean mayBegin(Call call) {
        Lane lane = lanes.get(call.getTarget());
        return !stopping
                && lane != null
                && !lane.isOpen()
                && !isOnHold(call.getTarget())
                && call.size() <= lane.target().getBatch()
                && call.isInTime();
    }

    /**
     * Whether the route may repeat a failed call at once. Deliveries that had failed before are only tried again later.
     */
    boolean mayTryAgainAtOnce(Call call) {
        Lane lane = lanes.get(call.getTarget());
        return lane != null
                && lane.target().getLimits().isEndless()
                && lane.isMostlySucceeding()
                && call.deliveries().stream().noneMatch(Delivery::retry)
                && mayBegin(call);
    }
}
