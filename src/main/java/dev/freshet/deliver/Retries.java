package dev.freshet.deliver;

/**
 * Of what has failed before, how much a lane has in hand at a time: more while it succeeds, as after an outage, less
 * while it goes on failing.
 */
final class Retries {
    private int atOnce;
    /** Of the last calls, the share that failed. */
    private double failing;

    /**
     * @param few  are always tried
     * @param most what is in hand at all: retries are never more than half of it, so that what comes beside a million
     *             letters that are replayed finds room at once
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

    /**
     * Whether most calls succeed: where they don't, a second attempt at once would only take the place of another
     * tag's first.
     */
    synchronized boolean isMostlySucceeding() {
        return failing < 0.5;
    }
}
