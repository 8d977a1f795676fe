package dev.freshet.deliver;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Sends a key to a target that requires one. The header is added just before sending, so that the key appears in no
 * endpoint and no property.
 */
public final class BearerKey implements Processor {
    private final String key;

    /** @param key null: no key is sent */
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
