package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import dev.freshet.api.Refused;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.http.base.HttpOperationFailedException;

/** The last failure of each route, in words that reveal neither SQL nor addresses. */
public final class Failures {
    private static final int LONGEST = 200;

    @JsonAnswer
    record Failure(@InUtc Instant at, String why) {}

    private final Map<String, Failure> last = new ConcurrentHashMap<>();

    public void add(String route, Throwable why) {
        last.put(route, new Failure(Instant.now(), said(why)));
    }

    /** @return null if it never failed */
    Failure of(String route) {
        return last.get(route);
    }

    private static String said(Throwable why) {
        Throwable cause = why;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        if (why instanceof HttpOperationFailedException answer) {
            return "HTTP " + answer.getStatusCode();
        }
        if (cause instanceof SQLException sql) {
            return "the database: SQLSTATE " + sql.getSQLState();
        }
        String name = cause.getClass().getSimpleName();
        String message = cause.getMessage();
        boolean sayable = cause instanceof IOException || cause instanceof Refused;
        return !sayable || message == null
                ? name
                : (name + ": " + message).substring(0, Math.min(LONGEST, name.length() + 2 + message.length()));
    }
}
