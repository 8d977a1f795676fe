package dev.freshet.deliver;

import dev.freshet.deliver.Outcome.Result;
import java.time.Clock;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Reads what an answer, or its absence, means for each tag of a call. */
public final class Outcomes {
    private static final String CALL = "call";
    /** Where the call goes, for the route's steps. */
    private static final String ADDRESS = "address";

    private static final List<Integer> TRANSIENT = List.of(408, 425, 429);
    private static final int LONGEST_ERROR = 500;
    private static final int EMPTY_JSON = 2;
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cs}]");

    private final Lanes lanes;
    private final Ledger ledger;
    private final Clock clock;

    public Outcomes(Lanes lanes, Ledger ledger, Clock clock) {
        this.lanes = lanes;
        this.ledger = ledger;
        this.clock = clock;
    }

    /**
     * Before each attempt of a route that makes calls: its call is known from here on, and goes back if its time is
     * over.
     */
    public void begin(Exchange exchange) {
        Call call = lanes.next((Call) exchange.getMessage().getBody());
        if (call == null) {
            exchange.setRouteStop(true);
            return;
        }
        exchange.getMessage().setBody(call);
        exchange.setVariable(CALL, call);
        Copy copy = lanes.copyOf(call);
        if (copy != null) {
            exchange.setVariable(ADDRESS, copy.url());
            if (copy.ip() != null) {
                exchange.getMessage().setHeader(PinnedRoutes.HEADER, copy.ip());
            }
        }
        if (lanes.mayNotBegin(call)) {
            giveBack(call);
            exchange.setRouteStop(true);
        }
    }

    /** Untried: due again at once. */
    void giveBack(Call call) {
        ledger.note(of(call, Result.returned, null, null, null));
    }

    public void noteDelivered(Exchange exchange) {
        Call call = call(exchange);
        lanes.ended(call, true);
        ledger.note(of(call, Result.delivered, null, null, null));
    }

    public void noteAnswer(Exchange exchange) {
        int status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        ledger.note(answered(call(exchange), status, exchange.getMessage().getBody(String.class)));
    }

    public void noteFailure(Exchange exchange) {
        ledger.note(failed(call(exchange), exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class)));
    }

    private static Call call(Exchange exchange) {
        return (Call) exchange.getVariable(CALL);
    }

    /** A 2xx whose body may say that some tags failed all the same. */
    private Ledger.Entry answered(Call call, int status, String body) {
        lanes.ended(call, true);
        Set<String> failed = PartialAnswer.of(status, body).failedOf(call.getTags());
        String id = call.getId();
        return new Ledger.Entry(
                call,
                call.deliveries().stream()
                        .map(d -> failed.contains(d.tag())
                                ? new Outcome(
                                        d.target(),
                                        d.tag(),
                                        d.lease(),
                                        Result.failed,
                                        status,
                                        "HTTP " + status + ", and the answer says that it failed",
                                        null,
                                        id,
                                        call.size())
                                : new Outcome(
                                        d.target(),
                                        d.tag(),
                                        d.lease(),
                                        Result.delivered,
                                        null,
                                        null,
                                        null,
                                        id,
                                        call.size()))
                        .toList());
    }

    private Ledger.Entry failed(Call call, Exception failure) {
        lanes.ended(call, !mayPass(failure)); // what is refused for good is no reason to go slowly
        if (failure instanceof HttpOperationFailedException answer) {
            int status = answer.getStatusCode();
            Result result = isTransient(status) ? Result.failed : call.size() > 1 ? Result.halve : Result.refused;
            return of(call, result, status, error(answer), retryAfterSeconds(answer));
        }
        return of(call, Result.failed, null, reason(failure), null);
    }

    /** With what the target says of it: a provider that has changed its answers is to be read where one looks. */
    private static String error(HttpOperationFailedException answer) {
        String said =
                answer.getResponseBody() == null ? "" : answer.getResponseBody().strip();
        String status = "HTTP " + answer.getStatusCode();
        if (isRedirect(answer.getStatusCode())) {
            return status + ": redirects are not followed";
        }
        return said.length() <= EMPTY_JSON ? status : printable(status + ": " + said);
    }

    /** The route's own second attempt: only where the same call may succeed in a moment. */
    public boolean worthAnotherTry(Call call, Exception failure) {
        boolean soon = !(failure instanceof HttpOperationFailedException answer) || retryAfterSeconds(answer) == null;
        return soon && mayPass(failure) && lanes.mayTryAgainAtOnce(call);
    }

    /** Whether the same call may succeed later: no answer, or one that says so. */
    public static boolean mayPass(Exception failure) {
        return !(failure instanceof HttpOperationFailedException answer) || isTransient(answer.getStatusCode());
    }

    private static boolean isTransient(int status) {
        return status >= 500 || TRANSIENT.contains(status);
    }

    private static boolean isRedirect(int status) {
        return status >= 300 && status < 400;
    }

    /** In seconds or as a date. */
    Double retryAfterSeconds(HttpOperationFailedException answer) {
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

    public static String reason(Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getMessage() == null) {
            cause = cause.getCause();
        }
        return printable(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
    }

    /**
     * What came from outside may hold anything; PostgreSQL keeps no NUL and no half of a surrogate pair, and nobody
     * reads the others.
     */
    public static String printable(String text) {
        String cut = text.length() > LONGEST_ERROR ? text.substring(0, LONGEST_ERROR) : text;
        return UNPRINTABLE.matcher(cut).replaceAll("?");
    }

    private static Ledger.Entry of(Call call, Result result, Integer status, String error, Double retryAfterSeconds) {
        String id = call.getId();
        return new Ledger.Entry(
                call,
                call.deliveries().stream()
                        .map(d -> new Outcome(
                                d.target(),
                                d.tag(),
                                d.lease(),
                                result,
                                status,
                                error,
                                retryAfterSeconds,
                                id,
                                call.size()))
                        .toList());
    }
}
