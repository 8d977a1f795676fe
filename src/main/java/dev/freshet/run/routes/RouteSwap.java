package dev.freshet.run.routes;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces running routes by those of an edited file, and recreates the routes of other files that depend on it: all of
 * them, or none.
 */
final class RouteSwap {
    private static final Logger LOG = LoggerFactory.getLogger(RouteSwap.class);
    /** A statistics function may take this long, and an edit that interrupts it would make it start over. */
    private static final long LONGEST_IN_FLIGHT_SECONDS = 600;

    private final CamelContext context;
    private final Model model;

    RouteSwap(CamelContext context) {
        this.context = context;
        this.model = context.getCamelContextExtension().getContextPlugin(Model.class);
    }

    /**
     * @param running the texts that run, by file; updated to what runs afterwards, and without the file if not even the
     *     old version could be restored
     * @param text null if the file is gone
     */
    void swap(Map<String, String> running, String file, String text) throws Exception {
        Map<String, String> next = new LinkedHashMap<>();
        next.put(file, text);
        running.forEach((other, its) -> {
            if (!other.equals(file) && text != null && isMadeOf(its, text)) {
                next.put(other, its);
            }
        });
        List<String> touched = new ArrayList<>();
        try {
            for (Map.Entry<String, String> each : next.entrySet()) {
                touched.add(each.getKey());
                replace(each.getKey(), running.get(each.getKey()), each.getValue());
            }
        } catch (Exception failure) {
            Collections.reverse(touched);
            touched.forEach(each -> putBack(running, each, next.get(each)));
            throw failure;
        }
        if (text == null) {
            running.remove(file);
        } else {
            running.put(file, text);
        }
    }

    /** Camel weaves route configurations into routes, and copies templates, when it creates the routes. */
    private static boolean isMadeOf(String its, String text) {
        return text.contains("routeConfiguration:") && !its.contains("routeConfiguration:")
                || text.contains("routeTemplate:") && its.contains("templatedRoute:");
    }

    private void replace(String file, String before, String text) throws Exception {
        Set<String> held = routesOf(file, before);
        Set<FeedsRoutes> feeders = context.getRegistry().findByType(FeedsRoutes.class);
        feeders.forEach(feeder -> held.forEach(feeder::hold));
        try {
            stop(held);
            unbindBeans(before);
            if (text != null) {
                load(file, text);
            }
            tell(feeders, held, text == null);
        } finally {
            feeders.forEach(feeder -> held.forEach(feeder::resume));
        }
    }

    private void tell(Set<FeedsRoutes> feeders, Set<String> held, boolean fileIsGone) {
        for (String route : held) {
            boolean there = context.getRoute(route) != null;
            feeders.forEach(feeder -> {
                if (there) {
                    feeder.renewed(route);
                } else {
                    feeder.gone(route, fileIsGone);
                }
            });
        }
    }

    /** Without this, a bean that the file no longer declares would be found by its type forever. */
    private void unbindBeans(String before) {
        for (String bean : Beans.in(before)) {
            context.getRegistry().unbind(bean);
        }
    }

    /** @param text what should have run, and may be running in part */
    private void putBack(Map<String, String> running, String file, String text) {
        try {
            Set<String> routes = routesOf(file, running.get(file));
            routes.addAll(TemplatedRoutes.in(context, file, text));
            stop(routes);
            unbindBeans(text);
            if (running.get(file) != null) {
                load(file, running.get(file));
            }
            tell(context.getRegistry().findByType(FeedsRoutes.class), routes, false);
        } catch (Exception e) {
            LOG.error("The last good version of {} could not be started again: {}", file, e.toString());
            running.remove(file); // so that the same text counts as a change when it comes again
        }
    }

    /**
     * Does what Camel's updateRoutes does, and also handles templates and the routes made from them, which that method
     * ignores.
     */
    private void load(String file, String text) throws Exception {
        for (RoutesBuilder builder : PluginHelper.getRoutesLoader(context).findRoutesBuilders(new Tried(file, text))) {
            if (builder instanceof RouteConfigurationsBuilder configurations) {
                configurations.updateRouteConfigurationsToCamelContext(context);
            }
            ((RouteBuilder) builder).configureRoutes(context);
            for (RouteTemplateDefinition template :
                    ((RouteBuilder) builder).getRouteTemplateCollection().getRouteTemplates()) {
                // otherwise the first template with an id would remain in force
                context.removeRouteTemplates(template.getId());
            }
            builder.updateRoutesToCamelContext(context);
            builder.addTemplatedRoutesToCamelContext(context);
        }
    }

    /**
     * Stops routes that start an exchange first, and routes that others call last, because exchanges in flight still
     * need those. Waits for what is in flight.
     */
    private void stop(Set<String> routes) throws Exception {
        List<String> inOrder = new ArrayList<>(routes);
        inOrder.sort(Comparator.comparing(this::calledByOthers));
        Set<HurriedQueues> queues = context.getRegistry().findByType(HurriedQueues.class);
        queues.forEach(HurriedQueues::hurry);
        try {
            for (String route : inOrder) {
                context.getRouteController().stopRoute(route, LONGEST_IN_FLIGHT_SECONDS, TimeUnit.SECONDS);
            }
        } finally {
            queues.forEach(HurriedQueues::calm);
        }
        for (String route : inOrder) {
            context.removeRoute(route);
            RouteDefinition never = model.getRouteDefinition(route);
            if (never != null) {
                model.removeRouteDefinition(never); // a route that could not be started
            }
        }
    }

    private int calledByOthers(String route) {
        String uri = context.getRoute(route) == null
                ? ""
                : context.getRoute(route).getEndpoint().getEndpointUri();
        return uri.startsWith("direct:") ? 2 : uri.startsWith("seda:") ? 1 : 0;
    }

    private Set<String> routesOf(String file, String text) throws Exception {
        Set<String> ids = TemplatedRoutes.in(context, file, text);
        for (RouteDefinition route : model.getRouteDefinitions()) {
            Resource resource = route.getResource();
            if (resource != null
                    && resource.getLocation() != null
                    && Path.of(resource.getLocation().replaceFirst("^file:", ""))
                            .normalize()
                            .equals(Path.of(file).normalize())) {
                ids.add(route.getRouteId());
            }
        }
        return ids;
    }
}
