package dev.freshet.live;

import dev.freshet.queue.Sleep;
import java.sql.SQLException;
import java.time.Duration;

/** Asks whether something was committed or published: often while things happen, less often when it has been quiet for long. */
public final class Lookout {
    private static final long QUIET_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int QUIET_TICKS = 3;
    private static final long COME_WHAT_MAY_NANOS = Duration.ofSeconds(10).toNanos();

    private final Published published;
    private final Sleep sleep;
    private volatile long lastSeen = System.nanoTime() - QUIET_NANOS;
    private int tick;
    private long polled = System.nanoTime();

    public Lookout(Published published, Sleep sleep) {
        this.published = published;
        this.sleep = sleep;
    }

    /** At each tick. */
    public boolean seesSomething() throws SQLException {
        boolean quiet = System.nanoTime() - lastSeen > QUIET_NANOS;
        return (!quiet || ++tick % QUIET_TICKS == 0) && looks();
    }

    /** At the poll: where there is nothing to be seen, it relays and reads only every ten seconds. */
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
            lastSeen = System.nanoTime();
            sleep.sawSomething();
        }
        return behind;
    }
}
