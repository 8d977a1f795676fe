package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * A lower bound for ids of the inbox (or the live outbox): no row at or below it exists, and none will appear. Searches
 * start there, so they do not have to walk past all the deleted rows that cannot be vacuumed yet, for example during a
 * dump that runs for an hour. The floor only narrows the search. Ids are assigned before they commit, so the floor
 * stays behind the oldest transaction that still writes, and once a minute the search starts from the beginning again.
 */
public final class Floor {
    /** Transactions that have an id: all below {@code oldest} have ended, and all ids so far are below {@code next}. */
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

    /** @param lastId selects the newest id that was assigned, as {@code id} */
    public Floor(SqlFile lastId) {
        this.lastId = lastId;
    }

    public long id() {
        return floor;
    }

    /** Where a search for changes starts. Once a minute it starts from the beginning. */
    public synchronized long begin() {
        long now = System.nanoTime();
        if (now - begunAnewAt > FROM_THE_BEGINNING_NANOS) {
            begunAnewAt = now;
            floor = 0;
        }
        return floor;
    }

    /** Called before a fold: how far the floor may be raised if that fold leaves nothing behind. */
    public long candidate(Connection connection) throws SQLException {
        begin();
        long now = System.nanoTime();
        if (now - lookedAt > LOOK_NANOS) {
            lookedAt = now;
            long id = lastId.row(connection, Map.of(), Long.class);
            if (idBefore > nobodyWritesBelow) {
                // Use the id from the previous look: an INSERT draws its id first and gets its transaction id a moment
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
