package dev.freshet.run;

import dev.freshet.api.ClientFiles;
import dev.freshet.api.gate.GateMount;
import dev.freshet.console.ConsolePage;
import dev.freshet.console.Overview;
import dev.freshet.deliver.fence.FreshAnswer;
import dev.freshet.demo.DemoPage;
import dev.freshet.live.Stream;
import dev.freshet.run.beans.ApiBeans;
import dev.freshet.run.beans.Parts;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import io.vertx.ext.web.Router;
import org.apache.camel.spi.Registry;

/** What Camel's HTTP server serves besides routes: the gate in front of everything, and streams and pages behind it. */
final class HttpMounts {
    private final Parts parts;
    private final boolean demo;

    HttpMounts(Parts parts, boolean demo) {
        this.parts = parts;
        this.demo = demo;
    }

    void mount(int port) {
        try {
            new GateMount(ApiBeans.gate(parts), this::mountBehind).mount(parts.context(), port);
        } catch (Exception e) {
            throw new IllegalStateException("the gate could not be mounted", e);
        }
    }

    private void mountBehind(Router router) {
        Registry registry = parts.context().getRegistry();
        Settings settings = parts.settings();
        registry.findSingleByType(Stream.class).mountOn(router);
        registry.findSingleByType(FreshAnswer.class).mountOn(router);
        new ClientFiles().mountOn(router);
        new ConsolePage(registry.findSingleByType(Overview.class), settings.hasKey()).mountOn(router);
        if (demo) {
            new DemoPage(settings.hasKey(), settings.has(Setting.LIVE_KEY)).mountOn(router);
        }
    }
}
