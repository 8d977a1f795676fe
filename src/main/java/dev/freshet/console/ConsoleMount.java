package dev.freshet.console;

import io.vertx.core.http.HttpMethod;
import java.util.List;
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
        ConsolePages pages = new ConsolePages(keyRequired, () -> ELSEWHERE.entrySet().stream().filter(other -> router.getRoutes().stream().anyMatch(route -> other.getValue().equals(route.getPath())))
                .map(Map.Entry::getKey).sorted().collect(Collectors.joining(" ")));
        for (String path : List.of("/admin/info", "/admin/assets/*")) {
            router.route(path).order(BEFORE_CAMELS_ROUTES).method(HttpMethod.GET).method(HttpMethod.HEAD).handler(pages);
        }
        router.route(HttpMethod.GET, "/api/console/stream").order(BEFORE_CAMELS_ROUTES).handler(new ConsoleStream(overview));
    }
}
