package dev.freshet.run.routes;

import java.util.concurrent.BlockingQueue;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.DefaultExchange;

/**
 * Wakes the route that consumes from a queue of length one. A route that is already going to run is not woken twice.
 */
public final class Wake {
    private final CamelContext context;
    private final String uri;

    /** @param uri as the route states it, with size=1 */
    public Wake(CamelContext context, String uri) {
        this.context = context;
        this.uri = uri;
    }

    public void now() {
        // look it up again: an edit may have replaced it
        SedaEndpoint endpoint = context.getEndpoint(uri, SedaEndpoint.class);
        BlockingQueue<Exchange> queue = endpoint.getQueue();
        if (queue.isEmpty()) {
            queue.offer(DefaultExchange.newFromEndpoint(endpoint));
        }
    }
}
