package dev.freshet.deliver.replica;

import java.time.Duration;
import java.time.Instant;

/**
 * The standing of one replica: what it has replayed, and whether calls wait for it. All times are System.nanoTime().
 * Callers must hold the lock of {@link ReplicaStandings}.
 */
final class ReplicaStanding {
    /**
     * Each time a replica is passed over again, it has to keep up for longer before calls wait for it. This is the
     * limit.
     */
    private static final long LONGEST_PROBATION = Duration.ofMinutes(10).toNanos();
    /** If it is passed over again after this many times the wait, that counts as the first time. */
    private static final int CALM_WAITS = 10;

    private final long wait;
    private long replayed;
    private String trouble = "it has not been asked yet";
    /** Since when it has been asked without an answer. */
    private Long unansweredSince;

    private boolean passedOver;
    private Instant passedOverAt;
    private long changedAt;
    private int times;
    private Long goodSince;

    ReplicaStanding(Duration wait) {
        this.wait = wait.toNanos();
    }

    void asks(long now) {
        unansweredSince = unansweredSince == null ? Long.valueOf(now) : unansweredSince;
    }

    void failed(String why) {
        trouble = why;
        goodSince = null;
    }

    /**
     * A replica that was restarted may be behind its earlier position: only the last answer counts.
     *
     * @param beyondSince since when there has been something that it lacks; null: nothing
     * @return true if calls wait for it again from now on
     */
    boolean answered(long now, long position, Long beyondSince) {
        replayed = position;
        trouble = null;
        unansweredSince = null;
        if (!passedOver) {
            return false;
        }
        boolean keepsUp = beyondSince == null || now - beyondSince < wait / 2;
        goodSince = !keepsUp ? null : goodSince == null ? Long.valueOf(now) : goodSince;
        if (keepsUp && now - goodSince >= Math.min((times - 1) * wait, LONGEST_PROBATION)) {
            passedOver = false;
            changedAt = now;
            return true;
        }
        return false;
    }

    /** @return why calls no longer wait for it, if that starts now; otherwise null */
    String overdue(long now, Long beyondSince) {
        boolean away = unansweredSince != null && now - unansweredSince >= wait;
        boolean behind = beyondSince != null && now - beyondSince >= wait;
        if (passedOver || !away && !behind) {
            return null;
        }
        passedOver = true;
        passedOverAt = Instant.now();
        times = times > 0 && now - changedAt < CALM_WAITS * wait ? times + 1 : 1;
        changedAt = now;
        goodSince = null;
        return why(now, beyondSince);
    }

    private String why(long now, Long beyondSince) {
        if (unansweredSince != null && trouble != null) {
            return "it is away: " + trouble;
        }
        return unansweredSince != null && now - unansweredSince >= wait
                ? "it does not answer"
                : "it is " + seconds(now - beyondSince) + " s behind";
    }

    /** Its state in a few words; null: calls wait for it, and it answers. */
    String says(long now, Long beyondSince) {
        if (!passedOver && trouble == null) {
            return null;
        }
        String how = trouble != null
                ? "away: " + trouble
                : unansweredSince != null && now - unansweredSince > wait
                        ? "it does not answer"
                        : beyondSince != null ? seconds(now - beyondSince) + " s behind" : "on probation";
        return passedOver ? "passed over: " + how : how;
    }

    boolean holdsBack(long position) {
        return !passedOver && (trouble != null || replayed < position);
    }

    double lagSeconds(long now, Long beyondSince) {
        double away = unansweredSince != null ? (now - unansweredSince) / 1e9 : 0;
        return Math.max(trouble == null && away < 1 ? 0 : away, beyondSince == null ? 0 : (now - beyondSince) / 1e9);
    }

    boolean isInTrouble() {
        return trouble != null;
    }

    boolean isPassedOver() {
        return passedOver;
    }

    Instant passedOverAt() {
        return passedOver ? passedOverAt : null;
    }

    long replayed() {
        return replayed;
    }

    private static long seconds(long nanos) {
        return nanos / 1_000_000_000L;
    }
}
