package dev.freshet.deliver;

import java.time.Clock;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Reads when a target wants to be called again: its header Retry-After, in seconds or as a date. */
record RetryAfter(Clock clock) {
    /** Seconds from now; null if the header is missing or unreadable. */
    Double seconds(HttpOperationFailedException answer) {
        Map<String, String> headers = answer.getResponseHeaders();
        String value = headers == null
                ? null
                : headers.entrySet().stream()
                        .filter(h -> "retry-after".equalsIgnoreCase(h.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(null);
        if (value == null) {
            return null;
        }
        try {
            return Math.max(0, Double.parseDouble(value.trim()));
        } catch (NumberFormatException notSeconds) {
            try {
                ZonedDateTime date = ZonedDateTime.parse(value.trim(), DateTimeFormatter.RFC_1123_DATE_TIME);
                return Math.max(
                        0, Duration.between(clock.instant(), date.toInstant()).toMillis() / 1000.0);
            } catch (DateTimeParseException neither) {
                return null;
            }
        }
    }
}
