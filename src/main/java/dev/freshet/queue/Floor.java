package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * An id of the inbox (or the live outbox) up to which nothing is there and nothing will come, so that looking for
 * changes does not mean to walk past all that were deleted and cannot be vacuumed yet (a dump that runs for an hour).
 * It only narrows the search: ids are given out before they commit, so it stays behind the oldest transaction that
 * still writes, and now and then the search begins at the beginning.
 */
public final class Floor {
    /** Transactions that have begun to write: everybody below oldest has ended, everybody is below next. */
    private record Running(long oldest, long next) {}

    private record Sample(long id, long next) {}

    private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long FROM_THE_BEGINNING_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int SAMPLES = 120;

    private final SqlFile lastId;
    private final SqlFile writers = SqlFile.of("queue/inbox-transactions");
    private final Deque<Sample> samples = new ArrayDeque<>();
    private volatile long floor;
    private long idBefore;
    private long nobodyWritesBelow;
    private long lookedAt = System.nanoTime() - LOOK_NANOS;
    private long begunAnewAt = System.nanoTime();

    /** @param lastId asks for the newest id that was given out, as {@code id} */
    public Floor(SqlFile lastId) {
        this.lastId = lastId;
    }

    public long id() {
        return floor;
    }

    /** Where a look for changes begins: once a minute at the beginning. */
    public synchronized long begin() {
        long now = System.nanoTime();
        if (now - begunAnewAt > FROM_THE_BEGINNING_NANOS) {
            begunAnewAt = now;
            floor = 0;
        }
        return floor;
    }

    /** Before a fold: how far may it be raised, should that fold leave nothing behind? */
    public long candidate(Connection connection) throws SQLException {
        begin();
        long now = System.nanoTime();
        if (now - lookedAt > LOOK_NANOS) {
            lookedAt = now;
            long id = lastId.row(connection, Map.of(), Long.class);
            if (idBefore > nobodyWritesBelow) {
                // The id of the look before this one: an INSERT draws its id first and its transaction id a moment
                // later.
                sample(connection, idBefore);
            }
            idBefore = id;
        }
        return nobodyWritesBelow;
    }

    private void sample(Connection connection, long id) throws SQLException {
        Running running = writers.row(connection, Map.of(), Running.class);
        while (!samples.isEmpty() && samples.peek().next() <= running.oldest()) {
            nobodyWritesBelow = samples.poll().id();
        }
        if (samples.size() < SAMPLES) {
            samples.add(new Sample(id, running.next()));
        }
    }

    public void raise(long id) {
        floor = Math.max(floor, id);
    }
}
