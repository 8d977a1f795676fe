package dev.freshet.queue;

import dev.freshet.run.stop.StopsFirst;
import java.time.Duration;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a route check many times a second whether something was committed, with {@link Sleep} in between. */
public final class Probing extends ServiceSupport implements StopsFirst {
    private static final Logger LOG = LoggerFactory.getLogger(Probing.class);

    private final CamelContext context;
    private final String route;
    private final Supplier<Duration> every;
    private final Sleep sleep;
    private final ProducerTemplate looks;
    private volatile boolean ended;

    /** @param route its id; it starts from direct:ROUTE */
    public Probing(CamelContext context, String route, Supplier<Duration> every, Sleep sleep) {
        this.context = context;
        this.route = route;
        this.every = every;
        this.sleep = sleep;
        this.looks = context.createProducerTemplate();
    }

    /** Call this when the routes have started. Camel's own listener for that was not called in one of 40 starts. */
    public void begin() {
        context.getExecutorServiceManager().newThread(route, this::run).start();
    }

    private void run() {
        while (!ended) {
            try {
                sleep.rest(every.get());
                if (!ended && isThere()) {
                    looks.sendBody("direct:" + route, "");
                }
            } catch (InterruptedException e) {
                if (!ended) { // whoever did it: without this thread, nothing is found until the next poll
                    LOG.warn("{} was interrupted and goes on", route);
                }
            } catch (RuntimeException e) {
                LOG.debug("{} failed", route, e); // the route's policy has reported it already
            } catch (Error e) {
                LOG.error("{} failed and goes on", route, e);
            }
        }
    }

    private boolean isThere() {
        return context.getRoute(route) != null
                && context.getRouteController().getRouteStatus(route).isStarted();
    }

    @Override
    public void stop() {
        ended = true;
        sleep.end();
        super.stop();
    }
}
