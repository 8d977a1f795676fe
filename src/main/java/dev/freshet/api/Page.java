package dev.freshet.api;

import java.math.BigInteger;

/** The part of a listing that is requested: {@code ?limit=&offset=}, read in the same way by every route. */
public record Page(int limit, long offset) {

    public static final int DEFAULT_LIMIT = 50;
    public static final int MAX_LIMIT = 1000;

    private static final BigInteger MAX_OFFSET = BigInteger.valueOf(Long.MAX_VALUE);

    /** @param limit, offset as they came in the query: text, null if absent, or a list if given more than once */
    public static Page of(Object limit, Object offset) {
        BigInteger size =
                limit == null ? BigInteger.valueOf(DEFAULT_LIMIT) : number("limit", limit, "from 1 to " + MAX_LIMIT);
        if (size.signum() == 0) {
            throw wrong("limit", "from 1 to " + MAX_LIMIT);
        }
        BigInteger start = offset == null ? BigInteger.ZERO : number("offset", offset, "of 0 or more");
        if (start.compareTo(MAX_OFFSET) > 0) {
            throw wrong("offset", "of 0 or more");
        }
        return new Page(size.min(BigInteger.valueOf(MAX_LIMIT)).intValue(), start.longValue());
    }

    private static BigInteger number(String field, Object given, String range) {
        String text = given.toString().strip();
        if (!text.matches("[0-9]{1,100}")) {
            throw wrong(field, range);
        }
        return new BigInteger(text);
    }

    private static Refused wrong(String field, String range) {
        return new Refused(400, field + ": must be a number " + range);
    }
}
