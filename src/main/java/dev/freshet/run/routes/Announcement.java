package dev.freshet.run.routes;

import java.util.concurrent.BlockingQueue;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.DefaultExchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a route of events through the queue that it consumes from. Operators add calls to such a route, so the teller
 * neither waits for it nor fails with it: if the route is slow for long, or stopped, or not there, the event is logged
 * and the route never hears it.
 */
public final class Announcement {
    private static final Logger LOG = LoggerFactory.getLogger(Announcement.class);
    /** Of what waits longer, nobody wants to hear. */
    private static final int MOST_WAITING = 100;

    private final CamelContext context;
    private final String uri;

    /** @param uri as the route states it, without options */
    public Announcement(CamelContext context, String uri) {
        this.context = context;
        this.uri = uri;
    }

    public void tell(Object event) {
        try {
            if (!isQueued(event)) {
                LOG.warn("{} does not take {}", uri, event);
            }
        } catch (RuntimeException e) {
            LOG.warn("{} cannot take {}: {}", uri, event, e.toString());
        }
    }

    private boolean isQueued(Object event) {
        SedaEndpoint endpoint = context.getEndpoint(uri, SedaEndpoint.class); // again: an edit may have replaced it
        BlockingQueue<Exchange> queue = endpoint.getQueue();
        Exchange exchange = DefaultExchange.newFromEndpoint(endpoint);
        exchange.getMessage().setBody(event);
        return endpoint.getQueueReference().hasConsumers() && queue.size() < MOST_WAITING && queue.offer(exchange);
    }
}
