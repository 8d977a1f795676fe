package dev.freshet.live;

import dev.freshet.queue.Sleep;
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
    /** A route that is to be stopped or edited waits for the end of a tick. */
    private static final long LONGEST_TICK_NANOS = Duration.ofSeconds(1).toNanos();

    private static final long COME_WHAT_MAY_NANOS = Duration.ofSeconds(30).toNanos();

    private final Published published;
    private final Hub hub;
    private final Sleep sleep;
    private volatile long lastSeen = System.nanoTime() - QUIET_NANOS;
    /** When something was found that is being worked on; 0: nothing. */
    private volatile long workSince;

    private volatile long foundAt;
    private long tickBegan;
    private boolean tickEnded = true;
    private int tick;
    private long polled = System.nanoTime();

    public Lookout(Published published, Hub hub, Sleep sleep) {
        this.published = published;
        this.hub = hub;
        this.sleep = sleep;
    }

    /** At each tick, and again after each find: false ends the tick. */
    public boolean seesSomething() throws SQLException, InterruptedException {
        long now = System.nanoTime();
        tickBegan = tickEnded ? now : tickBegan;
        tickEnded = true; // unless something is found: also where asking fails
        tickEnded = now - tickBegan > LONGEST_TICK_NANOS || !findsSomething(now - lastSeen);
        return !tickEnded;
    }

    private boolean findsSomething(long quiet) throws SQLException, InterruptedException {
        if (quiet > BUSY_NANOS) {
            return (quiet <= QUIET_NANOS || ++tick % QUIET_TICKS == 0) && looks();
        }
        long rest = restAfterWork();
        do {
            Thread.sleep(Duration.ofNanos(rest).toMillis());
            if (looks()) {
                return true;
            }
            rest = SHORTEST_REST_NANOS;
        } while (System.nanoTime() - lastSeen <= BUSY_NANOS);
        return false;
    }

    private long restAfterWork() {
        if (workSince == 0) {
            return SHORTEST_REST_NANOS;
        }
        long work = Math.max(System.nanoTime() - workSince, hub.tellingNanos());
        workSince = 0;
        // what is held by FRESHET_LIVE_LIMIT, or by another relay, is found each time and goes no further
        boolean wentOn = hub.position() != foundAt;
        return wentOn ? Math.max(SHORTEST_REST_NANOS, Math.min(LONGEST_REST_NANOS, work)) : LONGEST_REST_NANOS;
    }

    /** At the poll: where there is nothing to be seen, it relays and reads only every half minute. */
    public boolean polls() throws SQLException {
        boolean longAgo = System.nanoTime() - polled > COME_WHAT_MAY_NANOS;
        if (!longAgo && !looks()) {
            return false;
        }
        polled = System.nanoTime();
        return true;
    }

    /** At a hint, which may be wrong. */
    public boolean looks() throws SQLException {
        boolean behind = published.isBehind();
        if (behind) {
            foundAt = hub.position();
            lastSeen = workSince = System.nanoTime();
            sleep.sawSomething();
        }
        return behind;
    }
}
