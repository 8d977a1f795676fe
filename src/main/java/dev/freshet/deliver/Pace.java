package dev.freshet.deliver;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Spaces the calls to a target that takes only a limited number per second. */
final class Pace {
    /** How often a waiting call checks whether it is still wanted. */
    private static final long GLANCE_NANOS = 100_000_000;

    private long nextCall = System.nanoTime();

    /** Called when the rate has changed. */
    synchronized void beginAnew() {
        nextCall = System.nanoTime();
    }

    /**
     * Waits until a call may begin.
     *
     * @param rate calls per second; 0: unlimited
     */
    void await(int rate, BooleanSupplier isWanted) {
        if (rate == 0) {
            return;
        }
        long mine = takeTurn(rate);
        while (mine - System.nanoTime() > 0 && !Thread.currentThread().isInterrupted() && isWanted.getAsBoolean()) {
            LockSupport.parkNanos(Math.min(mine - System.nanoTime(), GLANCE_NANOS));
        }
    }

    private synchronized long takeTurn(int rate) {
        long mine = Math.max(System.nanoTime(), nextCall);
        nextCall = mine + 1_000_000_000L / rate;
        return mine;
    }
}
