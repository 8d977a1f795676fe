package dev.freshet.deliver;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** When the next call may begin, where a target takes only so many a second. */
final class Pace {
    /** A call that waits for its turn looks up so often whether it is still wanted. */
    private static final long GLANCE_NANOS = 100_000_000;

    private long nextCall = System.nanoTime();

    /** Another rate is in force. */
    synchronized void beginAnew() {
        nextCall = System.nanoTime();
    }

    /**
     * Waits for a call's turn.
     *
     * @param rate calls a second; 0: as many as there are
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
