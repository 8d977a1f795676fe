package dev.freshet.deliver;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.policy.Policies;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.run.routes.FeedsRoutes;
import dev.freshet.run.stop.StopsFirst;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * One lane for each target that this instance serves. Routes use it to learn how much to claim and whether a call may
 * begin.
 */
public final class Lanes implements StopsFirst, FeedsRoutes {
    static final String ROUTE_PREFIX = "target-";

    /** The terms of a claim: its lease, and how a target in outage is probed. */
    public record Terms(Duration lease, Duration attempt, Duration probe, Duration probeMax) {}

    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();
    private final Policies policies;
    private final Terms terms;
    private final LaneClaims claims;
    private final CallPermits permits;

    public Lanes(Transactions transactions, Terms terms) {
        this(transactions, terms, Replicas.NONE);
    }

    public Lanes(Transactions transactions, Terms terms, Replicas replicas) {
        Budgets budgets = new Budgets(transactions);
        this.policies = new Policies(transactions);
        this.terms = terms;
        this.permits = new CallPermits(lanes, budgets, policies);
        this.claims = new LaneClaims(lanes, permits::isServed, budgets, policies, terms, replicas);
    }

    public Policies policies() {
        return policies;
    }

    public void serve(Target target) {
        lanes.computeIfAbsent(target.getName(), name -> new Lane(target, terms.lease()))
                .serve(target);
    }

    /** The target's file has changed. */
    void renew(Target target) {
        for (Lane lane : lanes.values()) {
            if (Copy.targetOf(lane.target().getName()).equals(target.getName())) {
                boolean isCopy = Copy.isCopy(lane.target().getName());
                lane.serve(isCopy ? target.at(lane.target().copy()) : target);
            }
        }
    }

    /** Of a target's names (its own or those of its copies), only these are served from now on. */
    void keepOnly(String target, Collection<String> names) {
        lanes.keySet().removeIf(name -> Copy.targetOf(name).equals(target) && !names.contains(name));
    }

    /** Where a call goes; null if only the route knows. */
    Copy copyOf(Call call) {
        Lane lane = lanes.get(call.getTarget());
        return lane == null ? null : lane.target().copy();
    }

    int concurrency(String target) {
        Lane lane = lanes.get(target);
        return lane == null ? 1 : lane.target().getConcurrency();
    }

    @Override
    public void gone(String route, boolean withItsFile) {
        if (route.startsWith(ROUTE_PREFIX)) {
            keepOnly(route.substring(ROUTE_PREFIX.length()), List.of());
        }
    }

    /** For a hand-over: the targets with room for new deliveries. */
    public Claims claims() {
        return claims.forHandOver();
    }

    /** Makes calls of what a hand-over has claimed and committed: highest priority first, then the oldest change. */
    public List<List<Call>> handedOver(Claims claims, long handover, List<Claims.Claimed> claimed) {
        return this.claims.handedOver(claims, handover, claimed);
    }

    /** @return the parameters of claim.sql for each target that has room and may have something due */
    public List<Map<String, Object>> withRoom() {
        return claims.withRoom();
    }

    /** Makes calls of the rows that a claim returned. */
    public List<Call> claimed(Map<String, Object> claim, List<Map<String, Object>> rows) {
        return claims.claimed(claim, rows);
    }

    /** Called from time to time, because retries become due and the leases of other instances expire. */
    public void lookEverywhere() {
        lanes.values().forEach(Lane::lookAgain);
    }

    public void lookAgain(Collection<String> targets) {
        targets.forEach(target -> ifServed(target, Lane::lookAgain));
    }

    /** Calls are under way: work that can wait should wait. */
    public boolean isBusy() {
        return tagsInHand() > 0;
    }

    /** How many tags this instance has claimed and not yet settled. */
    int tagsInHand() {
        return lanes.values().stream().mapToInt(lane -> lane.held().size()).sum();
    }

    /** Adds a call to those that wait for a connection to the target; the most urgent of them goes first. */
    void waitFor(Call call) {
        ifServed(call.getTarget(), lane -> lane.line().add(call));
    }

    /**
     * @param tooLate is told each call that cannot begin under its lease any more
     * @return the call that a free connection takes, which need not be the one that woke it; null: nothing waits
     */
    Call next(Call woken, Consumer<Call> tooLate) {
        Lane lane = lanes.get(woken.getTarget());
        return lane == null ? woken : lane.line().next(woken, tooLate);
    }

    /** Targets that follow the target of these deliveries may have something due now. */
    private void lookAfter(Collection<Delivery> deliveries) {
        Set<String> told = deliveries.stream()
                .map(delivery -> Copy.targetOf(delivery.target()))
                .collect(Collectors.toSet());
        lanes.values().stream()
                .filter(lane -> told.contains(lane.target().getAfter()))
                .forEach(Lane::lookAgain);
    }

    /** Which calls may begin. */
    CallPermits permits() {
        return permits;
    }

    /** A call has ended. The duration and the success of calls determine how much is claimed ahead. */
    void ended(Call call, boolean succeeded) {
        ifServed(call.getTarget(), lane -> {
            lane.took(call.secondsSinceBegin());
            call.deliveries().forEach(delivery -> lane.learn(delivery, succeeded));
        });
    }

    void settled(Collection<Delivery> deliveries, Settled settled) {
        deliveries.forEach(delivery -> ifServed(delivery.target(), lane -> lane.release(delivery)));
        lookAfter(deliveries);
        lookAgain(settled.dueAgain());
        settled.breakers()
                .forEach((target, open) -> ifServed(target, lane -> {
                    lane.setOpen(open);
                    lane.lookAgain();
                }));
    }

    private void ifServed(String target, Consumer<Lane> then) {
        Lane lane = lanes.get(target);
        if (lane != null) {
            then.accept(lane);
        }
    }

    @Override
    public void stop() {
        permits.stop();
    }

    /** Deliveries that wait for their call are given back untried, and return when the route is available again. */
    @Override
    public void hold(String route) {
        if (route.startsWith(ROUTE_PREFIX)) {
            permits.hold(route.substring(ROUTE_PREFIX.length()));
        }
    }

    @Override
    public void resume(String route) {
        if (route.startsWith(ROUTE_PREFIX)) {
            permits.resume(route.substring(ROUTE_PREFIX.length()));
        }
    }

    /** The deliveries that this instance still holds. */
    List<Delivery> held() {
        return lanes.values().stream().flatMap(lane -> lane.held().stream()).toList();
    }
}
