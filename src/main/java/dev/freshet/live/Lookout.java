package dev.freshet.live;

import dev.freshet.queue.Sleep;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Checks whether anything was committed or published. While events arrive it checks continuously, but rests as long as
 * the last find took to process. So at most half of the time is spent on delivery, and many events share one round. It
 * checks less often otherwise, and rarely after a long quiet time.
 */
public final class Lookout {
    private static final long BUSY_NANOS = Duration.ofMillis(200).toNanos();
    private static final long QUIET_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int QUIET_TICKS = 3;
    private static final long SHORTEST_REST_NANOS = Duration.ofMillis(5).toNanos();
    private static final long LONGEST_REST_NANOS = Duration.ofMillis(30).toNanos();
    /** A route that is being stopped or edited waits until the tick ends. */
    private static final long LONGEST_TICK_NANOS = Duration.ofSeconds(1).toNanos();

    private static final long COME_WHAT_MAY_NANOS = Duration.ofSeconds(30).toNanos();

    private final Published published;
    private final Hub hub;
    private final Sleep sleep;
    private volatile long lastSeen = System.nanoTime() - QUIET_NANOS;
    /** When the find that is being processed was made; 0: none. */
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

    /**
     * Called at each tick, and again after each find.
     *
     * @return false to end the tick
     */
    public boolean seesSomething() throws SQLException, InterruptedException {
        long now = System.nanoTime();
        tickBegan = tickEnded ? now : tickBegan;
        tickEnded = true; // unless something is found; this also covers a check that fails
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
        // what FRESHET_LIVE_LIMIT or another relay holds back is found each time without any progress
        boolean wentOn = hub.position() != foundAt;
        return wentOn ? Math.max(SHORTEST_REST_NANOS, Math.min(LONGEST_REST_NANOS, work)) : LONGEST_REST_NANOS;
    }

    /** For the poll: if nothing is visible, it relays and reads only every 30 seconds. */
    public boolean polls() throws SQLException {
        boolean longAgo = System.nanoTime() - polled > COME_WHAT_MAY_NANOS;
        if (!longAgo && !looks()) {
            return false;
        }
        polled = System.nanoTime();
        return true;
    }

    /** For a hint, which may be wrong. */
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
