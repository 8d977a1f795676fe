package dev.freshet.deliver;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How fast a provider may be called, as a target file says it: {@code 25 calls, 5/min} is a bucket of 25 calls that
 * fills with 5 a minute; {@code 100 calls, 50/s; 5000 tags, 500/min} bounds calls and the tags in them.
 */
public record Limits(Bucket calls, Bucket tags) {
    /** Nothing is counted, and the database is not asked. */
    public static final Limits NONE = new Limits(Bucket.ENDLESS, Bucket.ENDLESS);

    private static final Pattern BUCKET =
            Pattern.compile("(\\d{1,9}) (calls|tags), (\\d{1,9}(?:\\.\\d{1,6})?)/(s|min|h)");
    private static final Map<String, Integer> SECONDS = Map.of("s", 1, "min", 60, "h", 3600);

    /**
     * A token bucket.
     *
     * @param atOnce  how much it holds
     * @param aSecond how fast it fills; 0: it has no end
     */
    public record Bucket(double atOnce, double aSecond) {
        static final Bucket ENDLESS = new Bucket(0, 0);
        /** What the network presses together, and others who use the account, need some room as well. */
        private static final double OF_THE_RATE = 0.95;

        private static final double OF_THE_BUCKET = 0.8;
        /** Left alone by all but what goes first. */
        private static final double KEPT_FOR_URGENT = 0.2;

        double secondsEach() {
            return aSecond == 0 ? 0 : 1 / (aSecond * OF_THE_RATE);
        }

        double room(boolean urgent) {
            return Math.max(1, Math.floor(atOnce * (urgent ? OF_THE_BUCKET : OF_THE_BUCKET - KEPT_FOR_URGENT)));
        }

        /** How many could be had within so long of a bucket that is full again after so long. */
        int within(double seconds, double fullAfter, boolean urgent) {
            if (aSecond == 0) {
                return Integer.MAX_VALUE;
            }
            return (int) Math.max(0, Math.floor(room(urgent) + (seconds - fullAfter) / secondsEach() + 1e-6));
        }
    }

    /** @throws IllegalArgumentException with what to write */
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

    /** So many calls that begin within a second, evenly. */
    static Limits callsASecond(int rate) {
        return rate == 0 ? NONE : new Limits(new Bucket(1, rate), Bucket.ENDLESS);
    }

    boolean isEndless() {
        return calls.aSecond() == 0 && tags.aSecond() == 0;
    }
}
