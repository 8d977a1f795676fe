package dev.freshet.queue;

import java.sql.Timestamp;
import java.time.Duration;
import org.postgresql.PGStatement;

/**
 * How far back a hand-over searches for what is ripe. While someone holds an old snapshot, rows that were handed over
 * cannot be vacuumed, and a search of the whole queue has to walk past them. When that becomes slow, searches start at
 * the oldest bucket that may still contain something. The whole queue is then searched less often, to find what others
 * have written late or had locked.
 */
final class NarrowLooks {
    static final Timestamp EVER = new Timestamp(PGStatement.DATE_NEGATIVE_INFINITY);
    /** Time that the hand-over of one row may take by itself on a busy machine. */
    private static final long EACH_ROW_NANOS = 200_000;

    private final Sparing whole = new Sparing(20, Duration.ofMillis(10));
    private final long debounceMillis;
    private final long bucketMillis;
    private Timestamp from = EVER;

    NarrowLooks(Duration debounce, Duration bucket) {
        this.debounceMillis = debounce.toMillis();
        this.bucketMillis = bucket.toMillis();
    }

    /** The oldest bucket that the next look considers. */
    synchronized Timestamp since() {
        return whole.mayAsk() ? EVER : from;
    }

    /** @param oldest time of the oldest change that was added to the queue; null if none was */
    synchronized void added(Timestamp oldest) {
        if (oldest != null) {
            Timestamp bucket = oldest.equals(EVER) ? EVER : earlier(oldest, bucketMillis);
            from = bucket.before(from) ? bucket : from;
        }
    }

    /** Called after a look has handed over {@code rows} rows and committed. */
    void took(Timestamp since, long nanos, int rows) {
        if (since.equals(EVER)) {
            whole.took(nanos - rows * EACH_ROW_NANOS);
        }
    }

    /** Called when everything that was ripe at {@code horizon} has been handed over. */
    synchronized void emptied(Timestamp horizon) {
        if (horizon.getTime() == PGStatement.DATE_POSITIVE_INFINITY) {
            return; // a forced run, which also hands over what is not ripe
        }
        Timestamp ripe = earlier(horizon, debounceMillis + bucketMillis);
        from = ripe.after(from) ? ripe : from;
    }

    private static Timestamp earlier(Timestamp time, long millis) {
        return Timestamp.from(time.toInstant().minusMillis(millis));
    }
}
