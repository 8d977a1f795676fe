package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.audit.AuditLog;
import dev.freshet.observe.RouteCount;
import dev.freshet.observe.RouteCounts;
import dev.freshet.run.routes.FeedsRoutes;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.stats.ConnectionBudget;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
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

/** The routes of this instance: how they are, and stopping and starting one by hand until the next start. */
public final class RouteControl {
    private static final int PATIENCE_SECONDS = 10;
    private static final String OWN_FILE = "api-console.camel.yaml";
    /** What every answer and every audited act goes through. */
    private static final Map<String, String> NEEDED = Map.of(
            "answer-json",
            "every answer leaves through it, also the one that would start it again",
            "write-audit",
            "what is done by hand is written down by it");

    private final Map<String, Instant> stopped = new ConcurrentHashMap<>();
    private final Map<String, Double> rates = new ConcurrentHashMap<>();
    private Map<String, Long> totals = Map.of();
    private long totalsAt = System.nanoTime();
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
        this.failures = failures;
    }

    /** Every few seconds: how much each route has done since the last time. */
    public synchronized void sample() throws Exception {
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

    public Map<String, Object> list() throws Exception {
        List<Map<String, Object>> routes = new ArrayList<>();
        context.getRoutes().stream()
                .sorted(Comparator.comparing(RouteControl::file).thenComparing(Route::getRouteId))
                .forEach(route -> routes.add(shown(route)));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("routes", routes);
        answer.put(
                "broken_files", files.broken().stream().map(RouteControl::shown).toList());
        return answer;
    }

    public Map<String, Object> stop(String id) throws Exception {
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

    public Map<String, Object> start(String id) throws Exception {
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

    /** How many functions a stats job runs. */
    int statsFunctions() {
        return ConnectionBudget.functions(context);
    }

    /** By hand and still so, with since when. */
    Map<String, Instant> stopped() {
        stopped.keySet()
                .removeIf(id -> context.getRoute(id) == null
                        || !controller().getRouteStatus(id).isStopped());
        return new TreeMap<>(stopped);
    }

    /** Another one when a route came, went, started or stopped, or a file broke or was mended. */
    String revision() {
        int states = context.getRoutes().stream()
                .map(route -> route.getRouteId() + controller().getRouteStatus(route.getRouteId()))
                .sorted()
                .toList()
                .hashCode();
        return Integer.toHexString(31 * states + files.broken().hashCode());
    }

    private Map<String, Object> shown(Route route) {
        String id = route.getRouteId();
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", id);
        shown.put("description", route.getDescription());
        shown.put("file", file(route));
        shown.put("from", route.getEndpoint().toString());
        shown.put("state", state(id));
        shown.put("stopped_at", stopped.get(id) == null ? null : stopped.get(id).toString());
        shown.put("may_not_stop", objection(route));
        RouteCount counted = counts.of(id);
        if (counted != null) {
            shown.put("total", counted.total());
            shown.put("failed", counted.failed() + counted.handled());
            shown.put("inflight", counted.inflight());
            shown.put("per_second", rates.get(id));
            shown.put("mean_ms", counted.meanMillis());
            shown.put(
                    "last_at",
                    counted.lastAt() == null ? null : counted.lastAt().toString());
        }
        shown.put("last_failure", failures.of(id));
        return shown;
    }

    private static Map<String, Object> shown(LiveRoutes.Broken broken) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("file", broken.file());
        shown.put("line", broken.line());
        shown.put("why", broken.why());
        shown.put("since", broken.since().toString());
        return shown;
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

    private Map<String, Object> answer(String id, String message) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", id);
        answer.put("state", state(id));
        answer.put("message", id + " " + message);
        return answer;
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
