package dev.freshet.cache;

import dev.freshet.api.Refused;
import dev.freshet.database.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** A request to {@code /invalidate/…}, validated strictly. */
record InvalidationRequest(String pattern, List<String> keys, String triggeredBy, String requestId) {
    static final int LONGEST_KEY = 1024;
    /**
     * The bytes that a key of 1,024 characters needs in JSON at most. Callers of the replaced service match longer
     * keys, too, and such a key is taken as long as it fits into an event.
     */
    private static final int LONGEST_WRITTEN_KEY = 2 + 6 * LONGEST_KEY;

    private static final int LONGEST_REQUEST_ID = 200;
    private static final int LONGEST_CALLER = 200;
    private static final long NUMBERS = 1_000_000_000_000_000L;
    /**
     * Starts at a random number. Otherwise two instances could generate the same id within a millisecond, and the
     * second request would do nothing.
     */
    private static final AtomicLong NUMBER =
            new AtomicLong(ThreadLocalRandom.current().nextLong(NUMBERS));

    static InvalidationRequest ofKeys(Map<String, Object> body) {
        List<String> keys = keys("keys", body.get("keys"));
        if (keys.isEmpty()) {
            throw wrong("keys", "must be a list of at least one key");
        }
        for (String key : keys) {
            refuseLength("keys", key, length(key) > LONGEST_KEY);
        }
        return new InvalidationRequest(null, List.copyOf(new LinkedHashSet<>(keys)), caller(body), requestId(body));
    }

    /** {@code keys} is null if none were given: the pattern then applies to the registry's keys. */
    static InvalidationRequest ofPattern(Map<String, Object> body) {
        if (!(body.get("pattern") instanceof String pattern)) {
            throw wrong("pattern", "must be a string of 1 to 1024 characters");
        }
        List<String> keys = body.get("cache_keys") == null ? null : keys("cache_keys", body.get("cache_keys"));
        for (String key : keys == null ? List.<String>of() : keys) {
            refuseLength("cache_keys", key, length(key) > LONGEST_KEY && bytes(key) > LONGEST_WRITTEN_KEY);
        }
        return new InvalidationRequest(pattern, keys, caller(body), requestId(body));
    }

    /** Generates a request id if none was given. */
    static String requestId(Map<String, Object> body) {
        Object given = body.get("request_id");
        if (given == null) {
            return "inv-" + System.currentTimeMillis() + "-" + NUMBER.getAndIncrement();
        }
        if (given instanceof String id && !id.isEmpty() && id.codePointCount(0, id.length()) <= LONGEST_REQUEST_ID) {
            return id;
        }
        throw wrong("request_id", "must be a string of 1 to " + LONGEST_REQUEST_ID + " characters");
    }

    static String caller(Map<String, Object> body) {
        Object given = body.get("triggered_by");
        if (given == null) {
            return "api";
        }
        if (given instanceof String caller && caller.codePointCount(0, caller.length()) <= LONGEST_CALLER) {
            return caller;
        }
        throw wrong("triggered_by", "must be a string of at most " + LONGEST_CALLER + " characters");
    }

    private static List<String> keys(String field, Object given) {
        if (!(given instanceof List<?> list)) {
            throw wrong(field, "must be a list of strings");
        }
        for (Object key : list) {
            if (!(key instanceof String)) {
                throw wrong(field, "must be a list of strings; it holds " + (key == null ? "null" : "something else"));
            }
        }
        @SuppressWarnings("unchecked")
        List<String> keys = (List<String>) list;
        return keys;
    }

    private static void refuseLength(String field, String key, boolean isTooLong) {
        if (key.isEmpty() || isTooLong) {
            throw wrong(field, "a key has 1 to " + LONGEST_KEY + " characters; one has " + length(key));
        }
    }

    private static int length(String key) {
        return key.codePointCount(0, key.length());
    }

    private static int bytes(String key) {
        return Json.text(key).getBytes(StandardCharsets.UTF_8).length;
    }

    static Refused wrong(String field, String what) {
        return new Refused(400, field + ": " + what);
    }
}
