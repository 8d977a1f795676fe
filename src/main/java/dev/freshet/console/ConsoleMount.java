package dev.freshet.console;

import dev.freshet.api.WebPage;
import io.vertx.core.http.HttpMethod;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/** Puts the page and its stream beside Camel's own routes, behind the gate: platform-http would hold a stream back. */
public final class ConsoleMount {
    private static final int BEFORE_CAMELS_ROUTES = -500;
    /** What the page shows and others serve. */
    private static final Map<String, String> ELSEWHERE = Map.of("audit", "/audit/logs", "live", "/live/stats");

    private final Overview overview;
    private final boolean keyRequired;

    public ConsoleMount(Overview overview, boolean keyRequired) {
        this.overview = overview;
        this.keyRequired = keyRequired;
    }

    /** To be called when the server is there. */
    public void mount(CamelContext context, int port) {
        VertxPlatformHttpRouter router = VertxPlatformHttpRouter.lookup(context, VertxPlatformHttpRouter.getRouterNameFromPort(port));
        new WebPage("console", "/admin/info", "/admin/assets/", page -> page.replace("data-key=\"unknown\"", "data-key=\"" + (keyRequired ? "required" : "none") + "\"")
                .replace("data-serves=\"unknown\"", "data-serves=\"" + servedBeside(router) + "\"")).mountOn(router);
        router.route(HttpMethod.GET, "/api/console/stream").order(BEFORE_CAMELS_ROUTES).handler(new ConsoleStream(overview));
    }

    private static String servedBeside(VertxPlatformHttpRouter router) {
        return ELSEWHERE.entrySet().stream().filter(other -> router.getRoutes().stream().anyMatch(route -> other.getValue().equals(route.getPath())))
                .map(Map.Entry::getKey).sorted().collect(Collectors.joining(" "));
    }
}
