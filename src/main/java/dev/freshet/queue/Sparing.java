package dev.freshet.queue;

import java.time.Duration;
import java.util.concurrent.Callable;

/**
 * Limits the share of time that a query may take. A query that becomes slow, because there are very many rows or
 * because dead rows cannot be vacuumed while someone holds an old snapshot, is run less often.
 */
public final class Sparing {
    /** A single slow answer may be the machine's fault. */
    private static final int IN_A_ROW = 3;

    private final int share;
    private final long unnoticed;
    private long notBefore = System.nanoTime();
    private int slow;

    /**
     * @param share after the third slow answer in a row and every further one, the query rests for this many times the
     *     duration of the answer
     * @param unnoticed answers that take no longer than this are not slow
     */
    public Sparing(int share, Duration unnoticed) {
        this.share = share;
        this.unnoticed = unnoticed.toNanos();
    }

    public boolean mayAsk() {
        return rest().isZero();
    }

    /** How long the query still has to rest; zero if it may be run now. */
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

    /** Records an answer's duration, excluding the time that was spent on useful work. */
    synchronized void took(long nanos) {
        slow = nanos > unnoticed ? slow + 1 : 0;
        notBefore = System.nanoTime() + (slow >= IN_A_ROW ? nanos * share : 0);
    }
}
