package dev.freshet.deliver;

/**
 * Limits how many deliveries that have failed before a lane holds at a time: more while they succeed, as after an
 * outage, and fewer while they keep failing.
 */
final class Retries {
    private int atOnce;
    /** The share of failures among the last calls. */
    private double failing;

    /**
     * @param few this many are always tried
     * @param most what the lane holds in total; retries are at most half of it (or {@code few}), so that new deliveries
     *     find room at once, even while a million dead letters are replayed
     */
    synchronized int atOnce(int few, int most) {
        return Math.max(few, Math.min(atOnce, most / 2));
    }

    synchronized void learn(boolean isRetry, boolean succeeded, int few, int most) {
        failing += ((succeeded ? 0 : 1) - failing) / 16;
        if (isRetry) {
            int before = atOnce(few, most);
            atOnce = succeeded ? before + 1 : before / 2;
            atOnce = atOnce(few, most);
        }
    }

    /** Whether most calls succeed. If they don't, an immediate second attempt would only delay another tag's first. */
    synchronized boolean isMostlySucceeding() {
        return failing < 0.5;
    }
}
