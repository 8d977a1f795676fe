package dev.freshet.deliver;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How fast a provider may be called, as a target file states it: {@code 25 calls, 5/min} is a bucket of 25 calls that
 * refills at 5 a minute; {@code 100 calls, 50/s; 5000 tags, 500/min} limits calls and the tags in them.
 */
public record Limits(Bucket calls, Bucket tags) {
    /** No limits: nothing is counted and the database is not asked. */
    public static final Limits NONE = new Limits(Bucket.ENDLESS, Bucket.ENDLESS);

    private static final Pattern BUCKET =
            Pattern.compile("(\\d{1,9}) (calls|tags), (\\d{1,9}(?:\\.\\d{1,6})?)/(s|min|h)");
    private static final Map<String, Integer> SECONDS = Map.of("s", 1, "min", 60, "h", 3600);

    /**
     * A token bucket.
     *
     * @param atOnce its capacity
     * @param aSecond how fast it refills; 0: unlimited
     */
    public record Bucket(double atOnce, double aSecond) {
        static final Bucket ENDLESS = new Bucket(0, 0);
        /**
         * The share of the provider's rate that is used. The rest is for calls that the network delivers in bursts, and
         * for other users of the account.
         */
        private static final double OF_THE_RATE = 0.95;

        private static final double OF_THE_BUCKET = 0.8;
        /** The share that only urgent calls may use. */
        private static final double KEPT_FOR_URGENT = 0.2;

        double secondsEach() {
            return aSecond == 0 ? 0 : 1 / (aSecond * OF_THE_RATE);
        }

        double room(boolean urgent) {
            return Math.max(1, Math.floor(atOnce * (urgent ? OF_THE_BUCKET : OF_THE_BUCKET - KEPT_FOR_URGENT)));
        }

        /**
         * How many calls or tags this bucket allows within the given seconds, if it is full again after {@code
         * fullAfter} seconds.
         */
        int within(double seconds, double fullAfter, boolean urgent) {
            if (aSecond == 0) {
                return Integer.MAX_VALUE;
            }
            return (int) Math.max(0, Math.floor(room(urgent) + (seconds - fullAfter) / secondsEach() + 1e-6));
        }
    }

    /** @throws IllegalArgumentException with a message that says what to write instead */
    public static Limits of(String text) {
        Bucket calls = Bucket.ENDLESS;
        Bucket tags = Bucket.ENDLESS;
        for (String part : text.isBlank() || text.equals("none") ? new String[0] : text.split(";")) {
            Matcher bucket = BUCKET.matcher(part.strip());
            if (!bucket.matches()) {
                throw new IllegalArgumentException("limits is \"" + text + "\": write \"25 calls, 5/min\" (so many at"
                        + " once, then so many a s, min or h), the same for tags after a semicolon, or none");
            }
            double each = Double.parseDouble(bucket.group(3)) / SECONDS.get(bucket.group(4));
            Bucket read = new Bucket(Double.parseDouble(bucket.group(1)), each);
            if (read.atOnce() == 0 || read.aSecond() == 0) {
                throw new IllegalArgumentException("limits is \"" + text + "\": 0 would let nothing through; write none"
                        + " where there is no limit");
            }
            calls = bucket.group(2).equals("calls") ? read : calls;
            tags = bucket.group(2).equals("tags") ? read : tags;
        }
        return new Limits(calls, tags);
    }

    /** Allows this many calls to begin within a second, evenly spaced. */
    static Limits callsASecond(int rate) {
        return rate == 0 ? NONE : new Limits(new Bucket(1, rate), Bucket.ENDLESS);
    }

    boolean isEndless() {
        return calls.aSecond() == 0 && tags.aSecond() == 0;
    }
}
