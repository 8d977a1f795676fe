package dev.freshet.live;

import java.sql.SQLException;
import java.time.Duration;

/**
 * Asks whether something was committed or published. While things happen it asks all the time, but rests as long as
 * what it found last took, so that at most half of the time goes into telling, and many events share one round. Less
 * often otherwise, and rarely when it has been quiet for long.
 */
public final class Lookout {
    private static final long BUSY_NANOS = Duration.ofMillis(200).toNanos();
    private static final long QUIET_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int QUIET_TICKS = 3;
    private static final long SHORTEST_REST_NANOS = Duration.ofMillis(5).toNanos();
    private static final long LONGEST_REST_NANOS = Duration.ofMillis(30).toNanos();

    private final Published published;
    private final Hub hub;
    private volatile long lastSeen = System.nanoTime() - QUIET_NANOS;
    /** When something was found that is being worked on; 0: nothing. */
    private volatile long workSince;
    private volatile long foundAt;
    private int tick;

    public Lookout(Published published, Hub hub) {
        this.published = published;
        this.hub = hub;
    }

    /** At each tick, and again after each find: false ends that tick. */
    public boolean seesSomething() throws SQLException, InterruptedException {
        long quiet = System.nanoTime() - lastSeen;
        if (quiet > BUSY_NANOS) {
            return (quiet <= QUIET_NANOS || ++tick % QUIET_TICKS == 0) && looks();
        }
        long begun = System.nanoTime();
        for (long rest = firstRest(begun); System.nanoTime() - begun <= LONGEST_REST_NANOS; rest = SHORTEST_REST_NANOS) {
            Thread.sleep(Duration.ofNanos(rest).toMillis());
            if (looks()) {
                return true;
            }
        }
        return false;
    }

    private long firstRest(long now) {
        if (workSince == 0) {
            return SHORTEST_REST_NANOS;
        }
        long work = Math.max(now - workSince, hub.tellingNanos());
        workSince = 0;
        // what is held by FRESHET_LIVE_LIMIT, or by another relay, is found each time and goes no further
        boolean wentOn = hub.position() != foundAt;
        return wentOn ? Math.max(SHORTEST_REST_NANOS, Math.min(LONGEST_REST_NANOS, work)) : LONGEST_REST_NANOS;
    }

    /** At a hint, which may be wrong. */
    public boolean looks() throws SQLException {
        boolean behind = published.isBehind();
        if (behind) {
            foundAt = hub.position();
            lastSeen = workSince = System.nanoTime();
        }
        return behind;
    }
}
