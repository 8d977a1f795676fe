package dev.freshet.deliver;

import dev.freshet.deliver.policy.Policies;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which calls may begin: those whose lease has time left for one, to a target that answers, whose route is there and
 * whose limits allow it, and that say what the policies of their tags say now.
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

    /** No call begins any more. */
    void stop() {
        stopping = true;
    }

    /** Its route is away for a moment. */
    void hold(String target) {
        onHold.add(target);
    }

    void resume(String target) {
        onHold.remove(target);
    }

    boolean isServed(Lane lane) {
        return !stopping && !isOnHold(lane.target().getName());
    }

    private boolean isOnHold(String target) {
        return onHold.contains(Copy.targetOf(target));
    }

    /** Asked before every attempt; waits for its turn where the target takes only so many a second. */
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

    /** Where another profile has been said since it was claimed, its tags come again with that. */
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
                && call.deliveries().stream().allMatch(d -> d.deadline() - System.nanoTime() > 0);
    }

    /**
     * Whether a call that has failed is made once more at once, by its route. What has failed before is only tried
     * again later.
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
