package dev.freshet.queue;

import java.time.Duration;
import java.util.concurrent.Callable;

/**
 * A question that takes longer than it should (dead rows that cannot be vacuumed while somebody holds an old snapshot,
 * or simply very many) is asked less often, so that it never costs more than its share of the time.
 */
public final class Sparing {
    /** One answer that is slow may be the machine. */
    private static final int IN_A_ROW = 3;

    private final int share;
    private final long unnoticed;
    private long notBefore = System.nanoTime();
    private int slow;

    /**
     * @param share     after a slow answer, and not the first of them, the question rests so many times as long as
     *                  that took
     * @param unnoticed answers that take no longer than this cost nothing worth speaking of
     */
    public Sparing(int share, Duration unnoticed) {
        this.share = share;
        this.unnoticed = unnoticed.toNanos();
    }

    public boolean mayAsk() {
        return rest().isZero();
    }

    /** How long the question still rests; zero: it may be asked. */
    public synchronized Duration rest() {
        return Duration.ofNanos(Math.max(0, notBefore - System.nanoTime()));
    }

    public <T> T ask(Callable<T> question) throws Exception {
        long begun = System.nanoTime();
        try {
            return question.call();
        } finally {
            took(System.nanoTime() - begun);
        }
    }

    /** An answer took so long, without what its work took by itself. */
    synchronized void took(long nanos) {
        slow = nanos > unnoticed ? slow + 1 : 0;
        notBefore = System.nanoTime() + (slow >= IN_A_ROW ? nanos * share : 0);
    }
}
