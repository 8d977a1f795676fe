package dev.freshet.demo;

import dev.freshet.api.WebPage;
import io.vertx.ext.web.Router;

/** Serves the page at /demo outside Camel's routes. The routes that it uses are in routes/demo.camel.yaml. */
public final class DemoPage {
    private final boolean keyRequired;
    private final boolean liveKeyRequired;

    public DemoPage(boolean keyRequired, boolean liveKeyRequired) {
        this.keyRequired = keyRequired;
        this.liveKeyRequired = liveKeyRequired;
    }

    public void mountOn(Router router) {
        new WebPage(
                        "demo",
                        "/demo",
                        "/demo/assets/",
                        page -> page.replace("data-key=\"unknown\"", "data-key=\"" + needs(keyRequired) + "\"")
                                .replace(
                                        "data-live-key=\"unknown\"",
                                        "data-live-key=\"" + needs(liveKeyRequired) + "\""))
                .mountOn(router);
    }

    private static String needs(boolean key) {
        return key ? "required" : "none";
    }
}
