package dev.freshet.deliver;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.policy.Policies;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.run.routes.FeedsRoutes;
import dev.freshet.run.stop.StopsFirst;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One lane for each target that this instance serves. The routes ask it how much to claim and whether a call may begin.
 */
public final class Lanes implements StopsFirst, FeedsRoutes {
    static final String ROUTE_PREFIX = "target-";
    private static final int RANKS = 3;
    private static final Comparator<Delivery> HIGHEST_FIRST =
            Comparator.comparingInt(delivery -> -delivery.policy().priority());

    /** How a claim is made: under which lease, and how a target in outage is probed. */
    public record Terms(Duration lease, Duration attempt, Duration probe, Duration probeMax) {}

    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();
    private final SqlFile handBack = SqlFile.of("deliver/hand-back");
    private final Transactions transactions;
    private final Budgets budgets;
    private final Policies policies;
    private final Terms terms;
    private final Replicas replicas;
    private final Set<String> onHold = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    public Lanes(Transactions transactions, Terms terms) {
        this(transactions, terms, Replicas.NONE);
    }

    public Lanes(Transactions transactions, Terms terms, Replicas replicas) {
        this.replicas = replicas;
        this.transactions = transactions;
        this.budgets = new Budgets(transactions);
        this.policies = new Policies(transactions);
        this.terms = terms;
    }

    public Policies policies() {
        return policies;
    }

    public void serve(Target target) {
        lanes.computeIfAbsent(target.getName(), name -> new Lane(target, terms.lease()))
                .serve(target);
    }

    /** Its file says something else of it now. */
    void renew(Target target) {
        for (Lane lane : lanes.values()) {
            if (Copy.targetOf(lane.target().getName()).equals(target.getName())) {
                boolean isCopy = Copy.isCopy(lane.target().getName());
                lane.serve(isCopy ? target.at(lane.target().copy()) : target);
            }
        }
    }

    /** Of a target, only these are served from now on: itself, or its copies. */
    void keepOnly(String target, Collection<String> names) {
        lanes.keySet().removeIf(name -> Copy.targetOf(name).equals(target) && !names.contains(name));
    }

    /** Where a call goes; null where its route alone knows. */
    Copy copyOf(Call call) {
        Lane lane = lanes.get(call.getTarget());
        return lane == null ? null : lane.target().copy();
    }

    int concurrency(String target) {
        Lane lane = lanes.get(target);
        return lane == null ? 1 : lane.target().getConcurrency();
    }

    private boolean isOnHold(String target) {
        return onHold.contains(Copy.targetOf(target));
    }

    @Override
    public void gone(String route, boolean withItsFile) {
        if (route.startsWith(ROUTE_PREFIX)) {
            keepOnly(route.substring(ROUTE_PREFIX.length()), List.of());
        }
    }

    /** For a hand-over: where there is room for new deliveries. */
    public Claims claims() {
        long now = System.nanoTime();
        List<Claims.Room> targets = new ArrayList<>();
        boolean serves = false;
        for (Lane lane : lanes.values()) {
            String name = lane.target().getName();
            if (lane.target().isTakesQueue() && !stopping && !isOnHold(name)) {
                serves = true;
                int room = room(lane);
                int urgent = Math.max(room, urgentRoom(lane));
                if (urgent > 0) {
                    targets.add(new Claims.Room(
                            name, room, urgent, UUID.randomUUID().toString()));
                }
            }
        }
        boolean isFull = serves && targets.stream().noneMatch(target -> target.room() > 0);
        return new Claims(targets, terms.lease().toMillis() / 1000.0, now, isFull, replicas.areThere());
    }

    /** How many tags it may take now, by its calls under way and by what it may spend. */
    private int room(Lane lane) {
        boolean isServed = !stopping && !isOnHold(lane.target().getName());
        int room = isServed ? lane.room(replicas.waitSeconds()) : 0;
        return room > 0 ? Math.max(0, Math.min(room, budgets.tagsAtHand(lane.target(), false) - lane.waiting())) : 0;
    }

    /** How many of those tags that go before all others; after {@link #room(Lane)}. */
    private int urgentRoom(Lane lane) {
        int room = policies.hasUrgent() ? lane.urgentRoom() : 0;
        return room > 0
                ? Math.max(0, Math.min(room, budgets.tagsAtHand(lane.target(), true) - lane.waitingUrgent()))
                : 0;
    }

    /** What a hand-over has claimed and committed, as calls; the oldest change first. */
    public List<List<Call>> handedOver(Claims claims, long handover, List<Claims.Claimed> claimed) {
        List<List<Call>> calls = new ArrayList<>();
        for (Claims.Room room : claims.targets()) {
            Lane lane = lanes.get(room.target());
            List<Delivery> deliveries = new ArrayList<>();
            for (Claims.Claimed each : claimed) {
                if (lane != null && each.target().equals(room.target())) {
                    int batch = lane.target().getBatch();
                    long changed = claims.at() - (long) (Math.max(0, each.ageSeconds()) * 1e9);
                    Delivery delivery = new Delivery(
                            each.target(),
                            each.tag(),
                            each.id(),
                            handover,
                            room.lease(),
                            batch,
                            batch,
                            changed,
                            deadline(claims.at()),
                            false,
                            policies.of(each.tag()));
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

    private long deadline(long claimedAt) {
        return claimedAt + terms.lease().minus(terms.attempt()).toNanos();
    }

    /** From time to time: retries come due, and leases of others run out. */
    public void lookEverywhere() {
        lanes.values().forEach(Lane::lookAgain);
    }

    public void lookAgain(Collection<String> targets) {
        targets.forEach(target -> lanes.computeIfPresent(target, (name, lane) -> {
            lane.lookAgain();
            return lane;
        }));
    }

    /** @return parameters of claim.sql for each target with room where something may be due */
    public List<Map<String, Object>> withRoom() {
        List<Map<String, Object>> claims = new ArrayList<>();
        for (Lane lane : lanes.values()) {
            boolean mayHaveDue = lane.mayHaveDue()
                    && !stopping
                    && !onHold.contains(lane.target().getName());
            int room = mayHaveDue ? room(lane) : 0;
            int urgent = mayHaveDue ? Math.max(room, urgentRoom(lane)) : 0;
            if (urgent > 0) {
                lane.looks();
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
                claim.put("claimedAt", System.nanoTime()); // before the database counts, so that we end first
                claims.add(claim);
            }
        }
        return claims;
    }

    /** What a claim was given, as calls. */
    public List<Call> claimed(Map<String, Object> claim, List<Map<String, Object>> rows) {
        Lane lane = lanes.get((String) claim.get("target"));
        if (lane == null) {
            return List.of();
        }
        if (rows.isEmpty()) {
            return List.of();
        }
        lane.setOpen(false); // the database lets through only what may be tried
        long claimedAt = (Long) claim.get("claimedAt");
        policies.areInForce((Long) rows.get(0).get("policies"), claimedAt);
        noteWhatWasEmptied(lane, claim, rows);
        rows.sort(Comparator.comparing((Map<String, Object> row) -> (Integer) row.get("rank"))
                .thenComparing(row -> (Double) row.get("due_seconds"), Comparator.reverseOrder()));
        long deadline = deadline(claimedAt);
        List<Delivery> deliveries = new ArrayList<>(rows.size());
        for (Map<String, Object> row : rows) {
            Delivery delivery = new Delivery(
                    lane.target().getName(),
                    (String) row.get("tag"),
                    (Long) row.get("id"),
                    (Long) row.get("claimed_handover"),
                    row.get("lease_id").toString(),
                    company(lane, row),
                    lane.target().getBatch(),
                    claimedAt - (long) (Math.max(0, (Double) row.get("age_seconds")) * 1e9),
                    deadline,
                    (Integer) row.get("rank") > 0,
                    policies.of((String) row.get("tag")));
            lane.hold(delivery);
            deliveries.add(delivery);
        }
        deliveries.sort(HIGHEST_FIRST);
        Long position = rows.stream()
                .map(row -> (Long) row.get("position"))
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse(null);
        return Call.covering(position, Call.together(deliveries));
    }

    /** Who was given less than was asked for has taken all that was due. */
    private static void noteWhatWasEmptied(Lane lane, Map<String, Object> claim, List<Map<String, Object>> rows) {
        long claimedAt = (Long) claim.get("claimedAt");
        int[] taken = new int[RANKS];
        rows.forEach(row -> taken[(Integer) row.get("rank")]++);
        if (rows.size() == 1 || rows.size() >= (Integer) claim.get("limit")) {
            lane.lookAgain(); // one may be a probe
            return;
        }
        lane.freshLookBack().emptied(claimedAt);
        if (taken[1] < (Integer) claim.get("retries") && taken[2] < (Integer) claim.get("retries")) {
            lane.retriesLookBack().emptied(claimedAt);
        } else {
            lane.lookAgain();
        }
    }

    private static int company(Lane lane, Map<String, Object> row) {
        Integer together = (Integer) row.get("together");
        int batch = lane.target().getBatch();
        return together == null ? batch : Math.min(batch, together);
    }

    /** Calls are under way: what can wait does. */
    public boolean isBusy() {
        return tagsInHand() > 0;
    }

    /** How many tags this instance has claimed and not yet settled. */
    int tagsInHand() {
        return lanes.values().stream().mapToInt(lane -> lane.held().size()).sum();
    }

    /** Asked before every attempt: has the lease no time left for one, or is it not wanted any more? */
    public boolean mayNotBegin(Call call) {
        Lane lane = lanes.get(call.getTarget());
        boolean granted = true;
        if (lane != null && mayBegin(call)) {
            lane.pace(() -> mayBegin(call));
            granted = budgets.grant(lane.target(), call.size(), call.isUrgent(), () -> mayBegin(call));
            lane.begins(call.deliveries());
        }
        policies.keepCurrent();
        call.begin();
        return !granted || !mayBegin(call) || !hasItsProfile(call);
    }

    /** Where another profile has been said since it was claimed, its tags come again with that. */
    private boolean hasItsProfile(Call call) {
        return call.getTags().stream()
                .allMatch(tag -> Objects.equals(policies.of(tag).profile(), call.profile()));
    }

    /** Calls of a target wait for its connections; the most urgent of them is the next. */
    void waitFor(Call call) {
        lanes.computeIfPresent(call.getTarget(), (name, lane) -> {
            lane.line().add(call);
            return lane;
        });
    }

    /** @return what a connection that is free takes, instead of the call that it was woken with; null: nothing waits */
    Call next(Call woken) {
        Lane lane = lanes.get(woken.getTarget());
        return lane == null ? woken : lane.line().next(woken);
    }

    boolean mayBegin(Call call) {
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

    /** A call has ended: how long they take, and how they end, decides how much is claimed ahead. */
    void ended(Call call, boolean succeeded) {
        Lane lane = lanes.get(call.getTarget());
        if (lane != null) {
            lane.took(call.secondsSinceBegin());
            call.deliveries().forEach(delivery -> lane.learn(delivery, succeeded));
        }
    }

    void settled(Collection<Delivery> deliveries, Settled settled) {
        for (Delivery delivery : deliveries) {
            Lane lane = lanes.get(delivery.target());
            if (lane != null) {
                lane.release(delivery);
            }
        }
        lookAgain(settled.dueAgain());
        settled.breakers().forEach((target, open) -> {
            Lane lane = lanes.get(target);
            if (lane != null) {
                lane.setOpen(open);
                lane.lookAgain();
            }
        });
    }

    @Override
    public void stop() {
        stopping = true;
    }

    /** What waits for its call is given back untried, and comes again when the route is there again. */
    @Override
    public void hold(String route) {
        if (route.startsWith(ROUTE_PREFIX)) {
            onHold.add(route.substring(ROUTE_PREFIX.length()));
        }
    }

    @Override
    public void resume(String route) {
        if (route.startsWith(ROUTE_PREFIX)) {
            onHold.remove(route.substring(ROUTE_PREFIX.length()));
        }
    }

    /** What this instance still holds is due again at once. */
    void handBack() throws SQLException {
        List<Delivery> held =
                lanes.values().stream().flatMap(lane -> lane.held().stream()).toList();
        if (!held.isEmpty()) {
            transactions.in(c -> handBack.update(
                    c,
                    Map.of(
                            "tags",
                            held.stream().map(Delivery::tag).toList(),
                            "targets",
                            held.stream().map(Delivery::target).toList(),
                            "leases",
                            held.stream().map(Delivery::lease).toList())));
        }
    }
}
