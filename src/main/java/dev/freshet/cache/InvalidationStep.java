package dev.freshet.cache;

import dev.freshet.api.Requests;
import java.sql.SQLException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Turns the body of an invalidation request into its answer. It is a Processor because these requests are the most
 * frequent: with bean methods, Camel would have to find two methods and convert their arguments each time.
 */
public final class InvalidationStep implements Processor {
    public interface Work {
        /** @return the answer, as JSON */
        String answer(Map<String, Object> body) throws SQLException;
    }

    private final Requests requests = new Requests();
    private final Work work;

    public InvalidationStep(Work work) {
        this.work = work;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Map<String, Object> body = requests.object(exchange.getMessage().getBody(byte[].class));
        exchange.getMessage().setBody(work.answer(body));
    }
}
