package dev.freshet.deliver;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What this instance holds for one target: bounded, so that a slow target takes no more than it can get through within its lease. */
final class Lane {
    /** Enough in hand that the calls never wait for the database; more would only be handed back when the target is slow. */
    private static final int CALLS_AHEAD = 16;

    private final Target target;
    private final Duration lease;
    private final Map<Delivery, Long> held = new ConcurrentHashMap<>();
    private volatile double callSeconds = 0.05;
    private volatile boolean open;

    Lane(Target target, Duration lease) {
        this.target = target;
        this.lease = lease;
    }

    Target target() {
        return target;
    }

    /** @return how many tags to claim now; 0 when it is not yet worth a round trip */
    int room() {
        held.values().removeIf(deadline -> System.nanoTime() - deadline > lease.toNanos());    // nobody will settle these any more
        double callsInTime = lease.toMillis() / 3000.0 / Math.max(0.001, callSeconds);
        int most = (int) Math.max(1, Math.min(CALLS_AHEAD, callsInTime)) * target.getConcurrency() * target.getBatch();
        int room = most - held.size();
        return room * 4 >= most ? room : 0;
    }

    void hold(Delivery delivery) {
        held.put(delivery, delivery.deadline());
    }

    void release(Delivery delivery) {
        held.remove(delivery);
    }

    Set<Delivery> held() {
        return held.keySet();
    }

    void took(double seconds) {
        callSeconds += (seconds - callSeconds) / 8;
    }

    /** A breaker that has opened: what is in hand is given back untried. */
    void setOpen(boolean open) {
        this.open = open;
    }

    boolean isOpen() {
        return open;
    }
}
