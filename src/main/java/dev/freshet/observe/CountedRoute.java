package dev.freshet.observe;

import java.util.function.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Ordered;
import org.apache.camel.spi.ManagementInterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/** Wraps a route, in the place that Camel provides for JMX. */
final class CountedRoute extends DelegateAsyncProcessor
        implements ManagementInterceptStrategy.InstrumentationProcessor<CountedRoute.Entry> {
    /**
     * @param caught the exception that was caught earlier, which an exchange keeps on its way through several routes
     */
    record Entry(long since, Object caught) {}

    private final RouteCount count;
    private final Consumer<Throwable> failures;

    CountedRoute(RouteCount count, Consumer<Throwable> failures) {
        this.count = count;
        this.failures = failures;
    }

    @Override
    public Entry before(Exchange exchange) {
        return new Entry(count.begin(), exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT));
    }

    @Override
    public void after(Exchange exchange, Entry entry) {
        Throwable failure = exchange.getException();
        Object caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT);
        boolean handled = failure == null && caught != null && caught != entry.caught();
        count.end(entry.since(), exchange.isFailed(), handled);
        if (failure != null || handled) {
            failures.accept(failure == null ? (Throwable) caught : failure);
        }
    }

    @Override
    public void setCounter(Object counter) {
        // only JMX uses a counter object
    }

    @Override
    public int getOrder() {
        return Ordered.LOWEST;
    }
}
