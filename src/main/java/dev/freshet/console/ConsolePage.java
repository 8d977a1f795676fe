package dev.freshet.console;

import dev.freshet.api.WebPage;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;

/** Serves the page and its stream outside Camel's routes, because platform-http would hold a stream back. */
public final class ConsolePage {
    private static final int BEFORE_CAMELS_ROUTES = -500;

    private final Overview overview;
    private final boolean keyRequired;

    public ConsolePage(Overview overview, boolean keyRequired) {
        this.overview = overview;
        this.keyRequired = keyRequired;
    }

    public void mountOn(Router router) {
        new WebPage(
                        "console",
                        "/admin/info",
                        "/admin/assets/",
                        page -> page.replace(
                                "data-key=\"unknown\"", "data-key=\"" + (keyRequired ? "required" : "none") + "\""))
                .mountOn(router);
        router.route(HttpMethod.GET, "/api/console/stream")
                .order(BEFORE_CAMELS_ROUTES)
                .handler(new ConsoleStream(overview));
    }
}
