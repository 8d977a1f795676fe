package dev.freshet.audit;

import dev.freshet.deliver.Call;
import dev.freshet.deliver.CallFailure;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Adds an audit row for a failed attempt that the route repeats. Called before the next attempt begins. */
public final class FailedAttempts implements Processor {
    private final ProducerTemplate audit;
    private final Consumer<Call> counted;

    /** @param counted is told of each attempt as well */
    public FailedAttempts(CamelContext context, Consumer<Call> counted) {
        this.counted = counted;
        this.audit = context.createProducerTemplate();
    }

    @Override
    public void process(Exchange exchange) {
        Call call = exchange.getVariable("call", Call.class);
        counted.accept(call);
        Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
        Integer status = failure instanceof HttpOperationFailedException answer ? answer.getStatusCode() : null;
        audit.sendBody(
                "seda:audit?discardWhenFull=true&size=10000",
                AuditLog.Row.of(
                        "attempt",
                        call.getTarget(),
                        call.getTags(),
                        "queue",
                        status,
                        status == null && failure != null ? CallFailure.reason(failure) : null,
                        call.getId()));
    }
}
