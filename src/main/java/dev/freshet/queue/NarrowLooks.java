package dev.freshet.queue;

import java.sql.Timestamp;
import java.time.Duration;
import org.postgresql.PGStatement;

/**
 * How far back a hand-over looks for what is ripe. Rows that were handed over and cannot be vacuumed yet, since
 * somebody holds an old snapshot, have to be walked past by a look at the whole queue. Where that takes its time, looks
 * begin at the oldest bucket that something may be left in; the whole is looked at less often then, for what somebody
 * else has written late, or has held.
 */
final class NarrowLooks {
    static final Timestamp EVER = new Timestamp(PGStatement.DATE_NEGATIVE_INFINITY);
    /** What handing over a row may take by itself, on a machine that is busy. */
    private static final long EACH_ROW_NANOS = 200_000;

    private final Sparing whole = new Sparing(20, Duration.ofMillis(10));
    private final long debounceMillis;
    private final long bucketMillis;
    private Timestamp from = EVER;

    NarrowLooks(Duration debounce, Duration bucket) {
        this.debounceMillis = debounce.toMillis();
        this.bucketMillis = bucket.toMillis();
    }

    /** The oldest bucket that the next look asks for. */
    synchronized Timestamp since() {
        return whole.mayAsk() ? EVER : from;
    }

    /** @param oldest change of those that were added to the queue; null: none */
    synchronized void added(Timestamp oldest) {
        if (oldest != null) {
            Timestamp bucket = oldest.equals(EVER) ? EVER : earlier(oldest, bucketMillis);
            from = bucket.before(from) ? bucket : from;
        }
    }

    /** A look has handed over so many rows; committed. */
    void took(Timestamp since, long nanos, int rows) {
        if (since.equals(EVER)) {
            whole.took(nanos - rows * EACH_ROW_NANOS);
        }
    }

    /** What was ripe at this time has been handed over, all of it. */
    synchronized void emptied(Timestamp horizon) {
        if (horizon.getTime() == PGStatement.DATE_POSITIVE_INFINITY) {
            return; // by hand, what was not ripe as well
        }
        Timestamp ripe = earlier(horizon, debounceMillis + bucketMillis);
        from = ripe.after(from) ? ripe : from;
    }

    private static Timestamp earlier(Timestamp time, long millis) {
        return Timestamp.from(time.toInstant().minusMillis(millis));
    }
}
