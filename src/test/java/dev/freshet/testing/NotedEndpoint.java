package dev.freshet.testing;

import java.io.InputStream;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.StreamCache;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/** Replaces an endpoint that leads out of the files under test. */
final class NotedEndpoint extends DefaultEndpoint {
    private final String name;
    private final Journal journal;

    NotedEndpoint(Endpoint real, Journal journal) {
        setCamelContext(real.getCamelContext());
        setEndpointUri(real.getEndpointUri());
        this.name = Entrances.name(real.getEndpointUri());
        this.journal = journal;
    }

    @Override
    public Producer createProducer() {
        return new DefaultProducer(this) {
            @Override
            public void process(Exchange exchange) throws Exception {
                Object body = exchange.getMessage().getBody();
                boolean isStream = body instanceof InputStream || body instanceof StreamCache;
                Object answer =
                        journal.reach(name, isStream ? exchange.getMessage().getBody(String.class) : body);
                if (answer instanceof Processor given) {
                    given.process(exchange);
                } else if (answer != null) {
                    exchange.getMessage().setBody(answer);
                }
            }
        };
    }

    @Override
    public Consumer createConsumer(Processor processor) {
        throw new UnsupportedOperationException(name);
    }
}
