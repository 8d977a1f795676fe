package dev.freshet.deliver;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this instance holds for one target: bounded, so that a slow target takes no more than it can get through within
 * its lease.
 */
final class Lane {
    /**
     * Enough in hand for each connection that calls never wait for the database, and that it is asked for many at a
     * time where calls are quick; more would only be handed back when the target is slow.
     */
    private static final int CALLS_AHEAD = 16;

    private static final int QUICK_CALLS_AHEAD = 64;
    private static final double SECONDS_AHEAD = 0.5;
    /** As many calls as its seda queue takes (application.properties), should every tag need one of its own. */
    private static final int MOST_TAGS = 20_000;

    private static final int CLAIMS_TO_THE_LOWEST = 16;
    private static final int CALLS_TO_URGENT = 4;

    private volatile Target target;
    private final Duration lease;
    private final Map<Delivery, Long> held = new ConcurrentHashMap<>();
    /** Of these, what no call has begun with. */
    private final Set<Delivery> waiting = ConcurrentHashMap.newKeySet();

    private final Line line = new Line();
    private final Pace pace = new Pace();
    private final LookBack freshLookBack = new LookBack();
    private final LookBack retriesLookBack = new LookBack();
    private final Retries retries = new Retries();
    private volatile double callSeconds = 0.05;
    private volatile boolean open;
    /** Something may be due that a claim would find; a hand-over claims what it adds. */
    private volatile boolean mayHaveDue = true;

    private volatile int most;
    private int claims;

    Lane(Target target, Duration lease) {
        this.target = target;
        this.lease = lease;
    }

    Target target() {
        return target;
    }

    /** From now on as this says: also what was claimed before is gathered and paced anew. */
    synchronized Lane serve(Target now) {
        if (now.getRate() != target.getRate()) {
            pace.beginAnew();
        }
        target = now;
        return this;
    }

    void lookAgain() {
        mayHaveDue = true;
    }

    /** A claim begins: what comes due after it has looked says so again, before it knows what it was given. */
    void looks() {
        mayHaveDue = false;
    }

    /** Of so many claims one takes the lowest priority first, so that none waits for ever. */
    synchronized boolean isTurnOfTheLowest() {
        return ++claims % CLAIMS_TO_THE_LOWEST == 0;
    }

    boolean mayHaveDue() {
        return mayHaveDue;
    }

    int room() {
        return room(0);
    }

    /**
     * @param waitSeconds how long what is claimed waits for read replicas before its call can begin: so much more is
     *                    in hand
     * @return how many tags to claim now; 0 when it is not yet worth a round trip
     */
    int room(double waitSeconds) {
        releaseWhatNobodyWillSettle();
        double each = Math.max(0.001, callSeconds);
        double callsInTime = lease.toMillis() / 3000.0 / each;
        double ahead = Math.max(CALLS_AHEAD, Math.min(QUICK_CALLS_AHEAD, SECONDS_AHEAD / each)) + waitSeconds / each;
        long calls = (long) Math.max(1, Math.min(ahead, callsInTime)) * target.getConcurrency();
        if (target.getRate() > 0) {
            calls = Math.min(calls, Math.max(1, target.getRate() * lease.toSeconds() / 3));
        }
        most = (int) Math.min(MOST_TAGS, calls * target.getBatch());
        int room = most - held.size();
        return room * 4 >= most ? room : 0;
    }

    private void releaseWhatNobodyWillSettle() {
        long now = System.nanoTime();
        held.forEach((delivery, deadline) -> {
            if (now - deadline > lease.toNanos()) {
                release(delivery);
            }
        });
    }

    /** @return how many of them may have failed before */
    int roomForRetries() {
        int holding = (int) held.keySet().stream().filter(Delivery::retry).count();
        return Math.max(0, retries.atOnce(fewRetries(), most) - holding);
    }

    private int fewRetries() {
        return Math.max(1, target.getConcurrency() / 4) * target.getBatch();
    }

    /** What a call for this delivery came to. */
    void learn(Delivery delivery, boolean succeeded) {
        retries.learn(delivery.retry(), succeeded, fewRetries(), most);
    }

    boolean isMostlySucceeding() {
        return retries.isMostlySucceeding();
    }

    Line line() {
        return line;
    }

    LookBack freshLookBack() {
        return freshLookBack;
    }

    LookBack retriesLookBack() {
        return retriesLookBack;
    }

    void hold(Delivery delivery) {
        held.put(delivery, delivery.deadline());
        waiting.add(delivery);
    }

    void release(Delivery delivery) {
        held.remove(delivery);
        waiting.remove(delivery);
    }

    void begins(Collection<Delivery> deliveries) {
        deliveries.forEach(waiting::remove);
    }

    int waiting() {
        return waiting.size();
    }

    int waitingUrgent() {
        return (int) waiting.stream()
                .filter(delivery -> delivery.policy().isUrgent())
                .count();
    }

    /** After {@link #room}: what goes before all others finds some room even where they have taken theirs. */
    int urgentRoom() {
        int extra = Math.max(target.getBatch(), most / CALLS_TO_URGENT);
        return Math.max(0, most + extra - held.size());
    }

    Set<Delivery> held() {
        return held.keySet();
    }

    void took(double seconds) {
        callSeconds += (seconds - callSeconds) / 8;
    }

    Pace pace() {
        return pace;
    }

    /** A breaker that has opened: what is in hand is given back untried. */
    void setOpen(boolean open) {
        this.open = open;
    }

    boolean isOpen() {
        return open;
    }
}
