package dev.freshet.console;

import dev.freshet.api.JsonAnswer;
import dev.freshet.api.Refused;
import dev.freshet.audit.AuditLog;
import dev.freshet.console.RouteListing.BrokenFile;
import dev.freshet.console.RouteListing.Done;
import dev.freshet.console.RouteListing.ListedRoute;
import dev.freshet.observe.RouteCount;
import dev.freshet.observe.RouteCounts;
import dev.freshet.run.routes.FeedsRoutes;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.stats.ConnectionBudget;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.spi.RouteController;

/**
 * The routes of this instance: shows their state, and stops and starts them by hand. A stop lasts until the next start
 * of Freshet.
 */
public final class RouteControl {
    /** What was done to a route by hand, and its state now. */
    @JsonAnswer
    record Acted(String id, String state, String message) {}

    private static final int PATIENCE_SECONDS = 10;
    private static final String OWN_FILE = "api-console.camel.yaml";
    /** Routes that must not be stopped, because every answer and every audited action passes through them. */
    private static final Map<String, String> NEEDED = Map.of(
            "answer-json",
            "every answer leaves through it, also the one that would start it again",
            "write-audit",
            "what is done by hand is written down by it");

    private final Map<String, Instant> stopped = new ConcurrentHashMap<>();
    private final RouteRates rates;
    private final CamelContext context;
    private final AuditLog audit;
    private final LiveRoutes files;
    private final RouteCounts counts;
    private final Failures failures;

    public RouteControl(CamelContext context, AuditLog audit, LiveRoutes files, RouteCounts counts, Failures failures) {
        this.context = context;
        this.audit = audit;
        this.files = files;
        this.counts = counts;
        this.rates = new RouteRates(context, counts);
        this.failures = failures;
    }

    /** Called every few seconds, to compute how much each route has done since the last sample. */
    public void sample() {
        rates.sample();
    }

    public RouteListing list() {
        return new RouteListing(
                context.getRoutes().stream()
                        .sorted(Comparator.comparing(RouteControl::file).thenComparing(Route::getRouteId))
                        .map(this::listed)
                        .toList(),
                files.broken().stream().map(BrokenFile::of).toList());
    }

    public Acted stop(String id) throws Exception {
        Route route = known(id);
        String objection = objection(route);
        if (objection != null) {
            throw new Refused(409, id + " is not stopped from here: " + objection);
        }
        if (controller().getRouteStatus(id).isStopped()) {
            return answer(id, "is stopped already");
        }
        write("stop route " + id);
        Set<FeedsRoutes> feeders = context.getRegistry().findByType(FeedsRoutes.class);
        feeders.forEach(feeder -> feeder.hold(id));
        boolean done = false;
        try {
            done = controller().stopRoute(id, PATIENCE_SECONDS, TimeUnit.SECONDS, true);
        } finally {
            if (!done) {
                feeders.forEach(feeder -> feeder.resume(id));
            }
        }
        if (!done) {
            throw new Refused(409, id + " is still busy after " + PATIENCE_SECONDS + " s and goes on; try again");
        }
        stopped.put(id, Instant.now());
        return answer(
                id,
                "is stopped, until it is started here, its file is edited, or Freshet starts again; what waits for it"
                        + " is kept");
    }

    public Acted start(String id) throws Exception {
        known(id);
        if (controller().getRouteStatus(id).isStarted()) {
            return answer(id, "runs already");
        }
        write("start route " + id);
        controller().startRoute(id);
        context.getRegistry().findByType(FeedsRoutes.class).forEach(feeder -> feeder.resume(id));
        stopped.remove(id);
        return answer(id, "runs again");
    }

    /** The number of functions that a stats job runs. */
    int statsFunctions() {
        return ConnectionBudget.functions(context);
    }

    /** Routes that were stopped by hand and still are, with the time. */
    Map<String, Instant> stopped() {
        stopped.keySet()
                .removeIf(id -> context.getRoute(id) == null
                        || !controller().getRouteStatus(id).isStopped());
        return new TreeMap<>(stopped);
    }

    /** Changes whenever a route is added, removed, started or stopped, or a file breaks or is repaired. */
    String revision() {
        int states = context.getRoutes().stream()
                .map(route -> route.getRouteId() + controller().getRouteStatus(route.getRouteId()))
                .sorted()
                .toList()
                .hashCode();
        return Integer.toHexString(31 * states + files.broken().hashCode());
    }

    private ListedRoute listed(Route route) {
        String id = route.getRouteId();
        RouteCount counted = counts.of(id);
        return new ListedRoute(
                id,
                route.getDescription(),
                file(route),
                route.getEndpoint().toString(),
                state(id),
                stopped.get(id),
                objection(route),
                counted == null ? null : Done.of(counted, rates.of(id)),
                failures.of(id));
    }

    private Route known(String id) {
        Route route = context.getRoute(id);
        if (route == null) {
            throw new Refused(404, "there is no route " + id);
        }
        return route;
    }

    private static String objection(Route route) {
        return file(route).endsWith(OWN_FILE) ? "the console itself needs it" : NEEDED.get(route.getRouteId());
    }

    private static String file(Route route) {
        String location = route.getSourceResource() == null
                ? ""
                : route.getSourceResource().getLocation();
        return location.replaceFirst("^(file|classpath):", "")
                .replace(Path.of("").toAbsolutePath() + "/", "");
    }

    private void write(String what) throws SQLException {
        audit.write(List.of(AuditLog.Row.of("request", null, null, "manual", null, what, null)));
    }

    private Acted answer(String id, String message) {
        return new Acted(id, state(id), id + " " + message);
    }

    private RouteController controller() {
        return context.getRouteController();
    }

    /** started, stopped by hand, or off by its settings. */
    private String state(String id) {
        String status = String.valueOf(controller().getRouteStatus(id)).toLowerCase(Locale.ROOT);
        return status.equals("stopped") && !stopped.containsKey(id) ? "off" : status;
    }
}
