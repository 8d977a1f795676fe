package dev.freshet.deliver;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Shows a key to a target that asks for one; set on the way out, so that it stands in no endpoint and no property. */
public final class BearerKey implements Processor {
    private final String key;

    /** @param key null: none is shown */
    public BearerKey(String key) {
        this.key = key;
    }

    @Override
    public void process(Exchange exchange) {
        show(exchange);
    }

    public void show(Exchange exchange) {
        if (key != null) {
            exchange.getMessage().setHeader("Authorization", "Bearer " + key);
        }
    }
}
