package dev.freshet.observe;

import dev.freshet.run.routes.FeedsRoutes;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.spi.ManagementInterceptStrategy;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * Counts how much each route has done, once for both the console and /observe/metrics, with the meter names of Camel's
 * own policy. That policy and JMX count each exchange twice and wrap every step; this costs two clock readings and a
 * few additions.
 */
public final class RouteCounts extends LifecycleStrategySupport implements FeedsRoutes {
    private record Known(RouteCount count, List<Meter> meters) {}

    private final Map<String, Known> routes = new ConcurrentHashMap<>();
    private final CamelContext context;
    private final MeterRegistry registry;
    private final FailureSeen failures;

    /**
     * Is told of each failure of a route, even if an error handler of that route, or of one that it calls, has handled
     * it.
     */
    public interface FailureSeen {
        void in(String route, Throwable failure);
    }

    public RouteCounts(CamelContext context, MeterRegistry registry, FailureSeen failures) {
        this.context = context;
        this.registry = registry;
        this.failures = failures;
    }

    /** A route has been created. A route that replaces another continues its numbers, so an edit resets no counter. */
    @Override
    public void onRouteContextCreate(Route route) {
        RouteCount count =
                routes.computeIfAbsent(route.getRouteId(), this::known).count();
        route.setManagementInterceptStrategy(new ManagementInterceptStrategy() {
            @Override
            public InstrumentationProcessor<?> createProcessor(NamedNode step, Processor target) {
                return null;
            }

            @Override
            public InstrumentationProcessor<?> createProcessor(String type) {
                return new CountedRoute(count, failure -> failures.in(route.getRouteId(), failure));
            }
        });
    }

    @Override
    public void gone(String route, boolean withItsFile) {
        Known known = routes.remove(route);
        if (known != null) {
            known.meters().forEach(registry::remove);
        }
    }

    /** @return null for an unknown route */
    public RouteCount of(String route) {
        Known known = routes.get(route);
        return known == null ? null : known.count();
    }

    private Known known(String route) {
        RouteCount count = new RouteCount();
        Tags tags = Tags.of(
                "camelContext", context.getName(), "eventType", "route", "kind", "CamelRoute", "routeId", route);
        return new Known(
                count,
                List.of(
                        counter("total", "Exchanges that a route has ended with", count, RouteCount::total, tags),
                        counter("succeeded", "Of these, without a failure", count, c -> c.total() - c.failed(), tags),
                        counter("failed", "Of these, with a failure", count, RouteCount::failed, tags),
                        counter(
                                "failures.handled",
                                "Failures that it dealt with by itself",
                                count,
                                RouteCount::handled,
                                tags),
                        FunctionTimer.builder(
                                        "camel.route.policy",
                                        count,
                                        RouteCount::total,
                                        RouteCount::nanos,
                                        TimeUnit.NANOSECONDS)
                                .description("How long a route takes")
                                .tags(tags)
                                .register(registry),
                        Gauge.builder("camel.route.policy.seconds.max", count, c -> c.longest(TimeUnit.SECONDS))
                                .description("The longest of the last minutes")
                                .tags(tags)
                                .register(registry)));
    }

    private Meter counter(String name, String says, RouteCount count, ToDoubleFunction<RouteCount> value, Tags tags) {
        return FunctionCounter.builder("camel.exchanges." + name, count, value)
                .description(says)
                .tags(tags)
                .register(registry);
    }
}
