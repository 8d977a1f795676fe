package dev.freshet.cache;

import dev.freshet.api.Requests;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * POST /invalidate/key, from its body to its answer. A Processor, because this is the busiest request: finding and
 * calling bean methods took a third of its time in Java.
 */
public final class InvalidateKeys implements Processor {
    private final Requests requests;
    private final Invalidations invalidations;

    public InvalidateKeys(Requests requests, Invalidations invalidations) {
        this.requests = requests;
        this.invalidations = invalidations;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Map<String, Object> body = requests.object(exchange.getMessage().getBody(byte[].class));
        exchange.getMessage().setBody(invalidations.byKeys(body));
    }
}
