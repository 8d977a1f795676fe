package dev.freshet.cache;

import dev.freshet.api.Refused;
import dev.freshet.database.Json;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;

/**
 * A caller's request to write an entry, validated strictly.
 *
 * @param value as JSON
 */
record EntryRequest(String key, String value, List<String> tags, Double ttlSeconds, OffsetDateTime expiresAt) {
    private static final int LONGEST_KEY_BYTES = 2_600;
    private static final int LONGEST_TAG = 256;
    private static final double LONGEST_TTL = Duration.ofDays(36_500).toSeconds();

    static EntryRequest of(String key, Map<String, Object> body) {
        EntryRequest request = new EntryRequest(
                key(key),
                body.containsKey("value") ? Json.text(body.get("value")) : null,
                body.get("tags") == null ? List.of() : tags("tags", body.get("tags")),
                ttl(body.get("ttl_seconds")),
                time(body.get("expires_at")));
        if (request.ttlSeconds() != null && request.expiresAt() != null) {
            throw new Refused(400, "expires_at: give this or ttl_seconds, not both");
        }
        return request;
    }

    /** Validates a key from a path. */
    static String key(String key) {
        if (key == null || key.isEmpty() || key.codePointCount(0, key.length()) > InvalidationRequest.LONGEST_KEY) {
            throw new Refused(400, "key: must have 1 to " + InvalidationRequest.LONGEST_KEY + " characters");
        }
        if (key.indexOf(0) >= 0 || key.indexOf('\ufffd') >= 0) {
            throw new Refused(400, "key: must be text in UTF-8 without NUL, percent-encoded");
        }
        if (key.getBytes(StandardCharsets.UTF_8).length > LONGEST_KEY_BYTES) {
            throw new Refused(
                    400,
                    "key: must have at most " + LONGEST_KEY_BYTES + " bytes in UTF-8, so that it fits into an index");
        }
        return key;
    }

    static List<String> tags(String field, Object given) {
        if (!(given instanceof List<?> list)) {
            throw new Refused(400, field + ": must be a list of strings");
        }
        for (Object tag : list) {
            if (!(tag instanceof String text)
                    || text.isEmpty()
                    || text.codePointCount(0, text.length()) > LONGEST_TAG) {
                throw new Refused(400, field + ": a tag must be a string of 1 to " + LONGEST_TAG + " characters");
            }
        }
        return list.stream().map(String.class::cast).distinct().toList();
    }

    private static Double ttl(Object given) {
        if (given == null) {
            return null;
        }
        // written so that NaN is refused
        if (given instanceof Number number && number.doubleValue() > 0 && number.doubleValue() <= LONGEST_TTL) {
            return new BigDecimal(number.toString()).doubleValue();
        }
        throw new Refused(400, "ttl_seconds: must be a number above 0, of at most " + (long) LONGEST_TTL);
    }

    private static OffsetDateTime time(Object given) {
        if (given == null) {
            return null;
        }
        try {
            if (given instanceof String text) {
                OffsetDateTime time = OffsetDateTime.parse(text);
                if (time.getYear() >= 0 && time.getYear() <= 9999) {
                    return time;
                }
            }
        } catch (DateTimeParseException e) {
            // reported below
        }
        throw new Refused(400, "expires_at: must be a time such as 2030-01-31T12:00:00Z");
    }
}
