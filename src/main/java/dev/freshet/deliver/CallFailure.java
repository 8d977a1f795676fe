package dev.freshet.deliver;

import java.util.List;
import java.util.regex.Pattern;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Interprets why a call failed: whether the same call may succeed later, and which text is recorded as the error. */
public final class CallFailure {
    private static final List<Integer> TRANSIENT = List.of(408, 425, 429);
    private static final int LONGEST_ERROR = 500;
    private static final int EMPTY_JSON = 2;
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cs}]");

    private CallFailure() {}

    /**
     * Whether the same call may succeed later: true if there was no answer, or one that indicates a temporary
     * condition.
     */
    public static boolean mayPass(Exception failure) {
        return !(failure instanceof HttpOperationFailedException answer) || isTransient(answer.getStatusCode());
    }

    static boolean isTransient(int status) {
        return status >= 500 || TRANSIENT.contains(status);
    }

    private static boolean isRedirect(int status) {
        return status >= 300 && status < 400;
    }

    /**
     * Includes the target's own words, so that a provider's changed answers can be read wherever the error is shown.
     */
    static String error(HttpOperationFailedException answer) {
        String said =
                answer.getResponseBody() == null ? "" : answer.getResponseBody().strip();
        String status = "HTTP " + answer.getStatusCode();
        if (isRedirect(answer.getStatusCode())) {
            return status + ": redirects are not followed";
        }
        return said.length() <= EMPTY_JSON ? status : printable(status + ": " + said);
    }

    public static String reason(Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getMessage() == null) {
            cause = cause.getCause();
        }
        return printable(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
    }

    /**
     * Text from outside may contain anything. PostgreSQL stores neither NUL nor lone surrogates, and other control
     * characters are not readable.
     */
    private static String printable(String text) {
        String cut = text.length() > LONGEST_ERROR ? text.substring(0, LONGEST_ERROR) : text;
        return UNPRINTABLE.matcher(cut).replaceAll("?");
    }
}
