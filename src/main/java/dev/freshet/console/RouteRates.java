package dev.freshet.console;

import dev.freshet.observe.RouteCount;
import dev.freshet.observe.RouteCounts;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;

/** How much each route does per second, from one sample to the next. */
final class RouteRates {
    private final Map<String, Double> rates = new ConcurrentHashMap<>();
    private Map<String, Long> totals = Map.of();
    private long totalsAt = System.nanoTime();
    private final CamelContext context;
    private final RouteCounts counts;

    RouteRates(CamelContext context, RouteCounts counts) {
        this.context = context;
        this.counts = counts;
    }

    synchronized void sample() {
        Map<String, Long> now = new HashMap<>();
        for (Route route : context.getRoutes()) {
            RouteCount counted = counts.of(route.getRouteId());
            if (counted != null) {
                now.put(route.getRouteId(), counted.total());
            }
        }
        double seconds = (System.nanoTime() - totalsAt) / 1e9;
        rates.keySet().retainAll(now.keySet());
        now.forEach((id, total) ->
                rates.put(id, Math.max(0, Math.round((total - totals.getOrDefault(id, total)) / seconds * 10) / 10.0)));
        totals = now;
        totalsAt = System.nanoTime();
    }

    /** Null before the second sample of a route. */
    Double of(String route) {
        return rates.get(route);
    }
}
