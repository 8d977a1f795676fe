package dev.freshet.routes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ScheduledExecutorService;
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
 * Route files as ops edit them, while Freshet runs. A file that is new or has changed is tried first; only one that passes takes the
 * place of what is running. One that fails is reported, and the last good version goes on: Camel itself would have stopped it first.
 */
public final class LiveRoutes implements AutoCloseable {
    /** A file that was not taken over. */
    public record Broken(String file, Integer line, String why, Instant since) {
        private static final int LONGEST_WHY = 300;

        /** @param before the last good text, or null */
        static Broken of(String file, String text, String before, Exception failure) {
            Throwable cause = failure;
            while (cause.getCause() != null && cause.getCause() != cause) {
                cause = cause.getCause();
            }
            String why = String.valueOf(cause.getMessage() == null ? cause : cause.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
            return new Broken(file, Lines.of(text, before, failure), why.length() > LONGEST_WHY ? why.substring(0, LONGEST_WHY) + "…" : why, Instant.now());
        }

        @Override
        public String toString() {
            return file + (line == null ? "" : " line " + line) + ": " + why;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(LiveRoutes.class);
    private static final long GLANCE_MILLIS = 500;
    /** A statistics function may take that long, and an edit that cuts it off would have it begin anew. */
    private static final long LONGEST_IN_FLIGHT_SECONDS = 600;
    private static final long LONGEST_CLOSE_MILLIS = 5_000;

    private final CamelContext context;
    private final Path folder;
    private final Map<String, String> running = new TreeMap<>();
    private final Map<String, String> lastSeen = new TreeMap<>();
    private final Map<String, String> tried = new TreeMap<>();
    private final Map<String, Broken> broken = new ConcurrentSkipListMap<>();
    private ScheduledExecutorService watch;
    private volatile boolean closed;

    public LiveRoutes(CamelContext context, Path folder) {
        this.context = context;
        this.folder = folder;
    }

    /** To be called before the routes are loaded: who edits a file while Freshet starts has edited it since then. */
    public void readFirst() throws IOException {
        if (Files.isDirectory(folder)) {
            running.putAll(RouteFiles.in(folder));
            lastSeen.putAll(running);
        }
    }

    /** To be called when the routes have started. */
    public void start() {
        if (!Files.isDirectory(folder)) {
            return;
        }
        watch = context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "routes");
        watch.scheduleWithFixedDelay(this::look, GLANCE_MILLIS, GLANCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Files that are not what is running, and why. */
    public List<Broken> broken() {
        return List.copyOf(broken.values());            // not synchronized: an edit may wait for minutes, and health is asked meanwhile
    }

    private synchronized void look() {
        try {
            Map<String, String> now = RouteFiles.in(folder);
            for (String file : changed(now)) {
                take(file, now.get(file));
            }
            lastSeen.clear();
            lastSeen.putAll(now);
        } catch (IOException | RuntimeException e) {
            LOG.warn("The route files could not be looked at: {}", e.toString());
        }
    }

    /** What is not as it runs, and was not still being written at the last look. */
    private Set<String> changed(Map<String, String> now) {
        Set<String> files = new TreeSet<>(now.keySet());
        files.addAll(running.keySet());
        files.addAll(broken.keySet());
        files.removeIf(file -> same(now.get(file), running.get(file)) && isMended(file));
        files.removeIf(file -> !same(now.get(file), lastSeen.get(file)) || broken.containsKey(file) && same(now.get(file), tried.get(file)));
        return files;
    }

    private boolean isMended(String file) {
        if (broken.remove(file) != null) {
            LOG.info("{} is again as it runs", file);
        }
        return true;
    }

    private void take(String file, String text) {
        tried.put(file, text);
        try {
            if (text != null) {
                Map<String, String> all = new TreeMap<>(running);
                all.put(file, text);
                new Trial(context).of(all);
            }
        } catch (Exception e) {
            report(file, text, e);
            return;
        }
        try {
            replace(file, text);
            broken.remove(file);
            tried.clear();                  // others may have been refused for the want of what stands in this one
            LOG.info("{} {}", file, text == null ? "is gone, and its routes with it" : running.containsKey(file) ? "has changed: its routes are the new ones" : "is new: its routes have started");
            if (text == null) {
                running.remove(file);
            } else {
                running.put(file, text);
            }
        } catch (Exception e) {
            if (!closed) {
                report(file, text, e);
                restore(file);
            }
        }
    }

    private void replace(String file, String text) throws Exception {
        Set<String> held = routesOf(file);
        Set<FeedsRoutes> feeders = context.getRegistry().findByType(FeedsRoutes.class);
        feeders.forEach(feeder -> held.forEach(feeder::hold));
        try {
            replaceNow(file, text);
        } finally {
            feeders.forEach(feeder -> held.forEach(feeder::resume));
        }
    }

    private void replaceNow(String file, String text) throws Exception {
        stop(routesOf(file), text == null);
        if (text != null) {
            load(file, text);
            // policies are woven into routes, and templates copied, when routes are made
            for (Map.Entry<String, String> other : running.entrySet()) {
                boolean changes = text.contains("routeConfiguration:") && !other.getValue().contains("routeConfiguration:")
                        || text.contains("routeTemplate:") && other.getValue().contains("templatedRoute:");
                if (changes && !other.getKey().equals(file)) {
                    replace(other.getKey(), other.getValue());
                }
            }
        }
    }

    /** As Camel's own updateRoutes, which forgets templates and the routes that are made of them. */
    private void load(String file, String text) throws Exception {
        for (RoutesBuilder builder : PluginHelper.getRoutesLoader(context).findRoutesBuilders(new Tried(file, text))) {
            if (builder instanceof RouteConfigurationsBuilder configurations) {
                configurations.updateRouteConfigurationsToCamelContext(context);
            }
            ((RouteBuilder) builder).configureRoutes(context);
            for (RouteTemplateDefinition template : ((RouteBuilder) builder).getRouteTemplateCollection().getRouteTemplates()) {
                context.removeRouteTemplates(template.getId());    // the first of an id would stay the one that counts
            }
            builder.updateRoutesToCamelContext(context);
            builder.addTemplatedRoutesToCamelContext(context);
        }
    }

    /** What begins something comes first, what others call last: what is in flight needs that on its way, and is waited for. */
    private void stop(Set<String> routes, boolean forGood) throws Exception {
        List<String> inOrder = new ArrayList<>(routes);
        inOrder.sort(Comparator.comparing(this::calledByOthers));
        Set<HurriedQueues> queues = context.getRegistry().findByType(HurriedQueues.class);
        queues.forEach(HurriedQueues::hurry);
        try {
            for (String route : inOrder) {
                if (!(forGood && isTarget(route))) {
                    context.getRouteController().stopRoute(route, LONGEST_IN_FLIGHT_SECONDS, TimeUnit.SECONDS);
                }
            }
        } finally {
            queues.forEach(HurriedQueues::calm);
        }
        for (String route : inOrder) {
            if (!(forGood && isTarget(route))) {
                context.removeRoute(route);
            }
        }
    }

    private int calledByOthers(String route) {
        String uri = context.getRoute(route) == null ? "" : context.getRoute(route).getEndpoint().getEndpointUri();
        return uri.startsWith("direct:") ? 2 : uri.startsWith("seda:") ? 1 : 0;
    }

    /** A target's route that goes for good is the concern of dev.freshet.deliver.Targets, which also forgets what the target is owed. */
    private static boolean isTarget(String route) {
        return route.startsWith("target-");
    }

    private void restore(String file) {
        try {
            if (running.containsKey(file)) {
                load(file, running.get(file));
            }
        } catch (Exception e) {
            LOG.error("The last good version of {} could not be started again: {}", file, e.toString());
        }
    }

    private void report(String file, String text, Exception failure) {
        Broken what = Broken.of(file, text, running.get(file), failure);
        Broken before = broken.put(file, what);
        if (before == null || !before.toString().equals(what.toString())) {
            LOG.error("{} is not taken over, the last good version goes on. {}", file, what);
        }
    }

    private Set<String> routesOf(String file) throws Exception {
        Set<String> ids = TemplatedRoutes.in(context, file, running.get(file));
        for (RouteDefinition route : context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinitions()) {
            Resource resource = route.getResource();
            if (resource != null && resource.getLocation() != null && Path.of(resource.getLocation().replaceFirst("^file:", "")).normalize().equals(Path.of(file).normalize())) {
                ids.add(route.getRouteId());
            }
        }
        return ids;
    }

    private static boolean same(String one, String other) {
        return java.util.Objects.equals(one, other);
    }

    @Override
    public void close() {
        if (watch != null) {
            closed = true;
            context.getExecutorServiceManager().shutdownNow(watch);
            try {
                context.getExecutorServiceManager().awaitTermination(watch, LONGEST_CLOSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
