package dev.freshet.demo;

import dev.freshet.api.WebPage;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/** Puts the page at /demo beside Camel's own routes, behind the gate. What it reads and does is in routes/demo.yaml. */
public final class DemoMount {
    private final boolean keyRequired;
    private final boolean liveKeyRequired;

    public DemoMount(boolean keyRequired, boolean liveKeyRequired) {
        this.keyRequired = keyRequired;
        this.liveKeyRequired = liveKeyRequired;
    }

    /** To be called when the server is there. */
    public void mount(CamelContext context, int port) {
        new WebPage("demo", "/demo", "/demo/assets/", page -> page.replace("data-key=\"unknown\"", "data-key=\"" + needs(keyRequired) + "\"")
                .replace("data-live-key=\"unknown\"", "data-live-key=\"" + needs(liveKeyRequired) + "\""))
                .mountOn(VertxPlatformHttpRouter.lookup(context, VertxPlatformHttpRouter.getRouterNameFromPort(port)));
    }

    private static String needs(boolean key) {
        return key ? "required" : "none";
    }
}
