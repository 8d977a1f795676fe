package dev.freshet.deliver;

import dev.freshet.deliver.Outcome.Result;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Derives the outcome for each tag of a call from the answer, or from its absence. */
public final class Outcomes {
    private static final String CALL = "call";
    /** The variable from which the route's steps read where the call goes. */
    private static final String ADDRESS = "address";
    /**
     * A few seconds less than freshet.done_ahead waits, to allow for the time that an answer travels between the
     * database's clock and ours.
     */
    private static final long NEARLY_LATE_NANOS = Duration.ofSeconds(25).toNanos();

    private final Lanes lanes;
    private final Ledger ledger;
    private final RetryAfter retryAfter;

    public Outcomes(Lanes lanes, Ledger ledger, Clock clock) {
        this.lanes = lanes;
        this.ledger = ledger;
        this.retryAfter = new RetryAfter(clock);
    }

    /**
     * Called before each attempt of a route that makes calls. Sets the call that the route works on, and gives it back
     * if its time is over.
     */
    public void begin(Exchange exchange) {
        Call call = lanes.next((Call) exchange.getMessage().getBody(), this::giveBack);
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
        if (!lanes.permits().grant(call)) {
            giveBack(call);
            exchange.setRouteStop(true);
        }
    }

    /** Gives a call back untried. Its deliveries are due again at once. */
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

    /** Handles a 2xx, whose body may still say that some tags failed. */
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
                                        call.size(),
                                        null)
                                : new Outcome(
                                        d.target(),
                                        d.tag(),
                                        d.lease(),
                                        Result.delivered,
                                        null,
                                        null,
                                        null,
                                        id,
                                        call.size(),
                                        late(d)))
                        .toList());
    }

    private Ledger.Entry failed(Call call, Exception failure) {
        lanes.ended(call, !CallFailure.mayPass(failure)); // a permanent refusal is no reason to slow down
        if (failure instanceof HttpOperationFailedException answer) {
            int status = answer.getStatusCode();
            Result result =
                    CallFailure.isTransient(status) ? Result.failed : call.size() > 1 ? Result.halve : Result.refused;
            return of(call, result, status, CallFailure.error(answer), retryAfter.seconds(answer));
        }
        return of(call, Result.failed, null, CallFailure.reason(failure), null);
    }

    /** For the route's own second attempt: true only if the same call may succeed in a moment. */
    public boolean worthAnotherTry(Call call, Exception failure) {
        boolean soon = !(failure instanceof HttpOperationFailedException answer) || retryAfter.seconds(answer) == null;
        return soon && CallFailure.mayPass(failure) && lanes.permits().mayTryAgainAtOnce(call);
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
                                call.size(),
                                result == Result.delivered ? late(d) : null))
                        .toList());
    }

    private static Boolean late(Delivery delivered) {
        boolean isLate = delivered.retry() || System.nanoTime() - delivered.owed() > NEARLY_LATE_NANOS;
        return isLate ? true : null;
    }
}
