package dev.freshet.deliver;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this instance holds for one target. It is bounded: a slow target gets no more than it can process within its
 * lease.
 */
final class Lane {
    /**
     * Calls in hand for each connection. With this many, calls never wait for the database, and with quick calls each
     * query fetches many deliveries at once. More would only be handed back if the target is slow.
     */
    private static final int CALLS_AHEAD = 16;

    private static final int QUICK_CALLS_AHEAD = 64;
    private static final double SECONDS_AHEAD = 0.5;
    /**
     * The capacity of the target's seda queue in calls (application.properties), in case each tag needs a call of its
     * own.
     */
    private static final int MOST_TAGS = 20_000;

    private static final int CLAIMS_TO_THE_LOWEST = 16;
    private static final int CALLS_TO_URGENT = 4;

    private volatile Target target;
    private final Duration lease;
    private final Map<Delivery, Long> held = new ConcurrentHashMap<>();
    /** The held deliveries whose call has not begun. */
    private final Set<Delivery> waiting = ConcurrentHashMap.newKeySet();

    private final Line line = new Line();
    private final Pace pace = new Pace();
    private final LookBack freshLookBack = new LookBack();
    private final LookBack retriesLookBack = new LookBack();
    private final Retries retries = new Retries();
    private volatile double callSeconds = 0.05;
    private volatile boolean open;
    /** A claim might find something due. Deliveries that a hand-over adds are claimed by the hand-over itself. */
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

    /** Uses these settings from now on. Deliveries that were already claimed are grouped and paced by them as well. */
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

    /**
     * Called when a claim begins. Whatever becomes due after the claim's look sets the flag again, even before the
     * claim returns.
     */
    void looks() {
        mayHaveDue = false;
    }

    /**
     * One in {@link #CLAIMS_TO_THE_LOWEST} claims takes the lowest priority first, so that no priority waits forever.
     */
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
     * @param waitSeconds how long claimed deliveries wait for read replicas before their call can begin; the lane holds
     *     correspondingly more
     * @return how many tags to claim now; 0 if it is not yet worth a round trip
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

    /** @return how many of them may be retries */
    int roomForRetries() {
        int holding = (int) held.keySet().stream().filter(Delivery::retry).count();
        return Math.max(0, retries.atOnce(fewRetries(), most) - holding);
    }

    private int fewRetries() {
        return Math.max(1, target.getConcurrency() / 4) * target.getBatch();
    }

    /** Records the outcome of a call for this delivery. */
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

    /** Call this after {@link #room}. Urgent deliveries find some room even if others have taken all of theirs. */
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

    /** While the breaker is open, deliveries in hand are given back untried. */
    void setOpen(boolean open) {
        this.open = open;
    }

    boolean isOpen() {
        return open;
    }
}
