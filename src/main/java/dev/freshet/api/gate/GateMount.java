package dev.freshet.api.gate;

import io.vertx.core.Handler;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.support.service.ServiceSupport;

/** Puts the gate in front of everything that platform-http serves, and answers Vert.x's own errors in our format. */
public final class GateMount {

    private static final String MARK = "freshet.gate";
    private static final int BEFORE_ALL_ROUTES = -1000;

    private final Gate gate;
    private final Consumer<Router> behind;

    public GateMount(Gate gate) {
        this(gate, router -> {});
    }

    /** @param behind mounts what Camel does not serve, at the same time as the gate */
    public GateMount(Gate gate, Consumer<Router> behind) {
        this.gate = gate;
        this.behind = behind;
    }

    /**
     * Must be called in MainListener.afterConfigure; further calls have no effect. The server then starts early in the
     * start of the context, followed by the gate, and routes start only after both.
     */
    public void mount(CamelContext context, int port) throws Exception {
        if (VertxPlatformHttpRouter.lookup(context, VertxPlatformHttpRouter.getRouterNameFromPort(port)) != null) {
            mountNow(context, port);
            return;
        }
        boolean early = true;
        context.addService(
                new ServiceSupport() {
                    @Override
                    protected void doStart() {
                        mountNow(context, port);
                    }
                },
                true,
                early);
    }

    private synchronized void mountNow(CamelContext context, int port) {
        if (VertxPlatformHttpRouter.lookup(context, VertxPlatformHttpRouter.getRouterNameFromPort(port)) == null) {
            throw new IllegalStateException("there is no HTTP server on port " + port + " to put the gate in front of");
        }
        // a management server on a port of its own would otherwise be open, without the gate
        context.getRegistry().findByType(VertxPlatformHttpRouter.class).forEach(router -> mountOn(context, router));
    }

    private void mountOn(CamelContext context, VertxPlatformHttpRouter router) {
        if (router.getRoutes().stream().anyMatch(route -> route.getMetadata(MARK) != null)) {
            return;
        }
        gate.guard(router.route().order(BEFORE_ALL_ROUTES).putMetadata(MARK, true));
        behind.accept(router);
        // the registry keeps one bean per name and class, and both have the class that routes look up
        context.getRegistry().unbind(router.getName());
        context.getRegistry().bind(router.getName(), withoutBodyHandler(router));
        // platform-http mounts its router under another one, which answers when nothing matched
        Router last = router.getServer().getServer().requestHandler() instanceof Router parent ? parent : router;
        gate.errors().mountOn(last, router);
    }

    /** The gate has read the body when a route begins; Camel's body handler would then fail over HTTP/2. */
    private static VertxPlatformHttpRouter withoutBodyHandler(VertxPlatformHttpRouter router) {
        return new VertxPlatformHttpRouter(router.getServer(), router.vertx(), router, router.getName()) {
            @Override
            public Handler<RoutingContext> bodyHandler() {
                return RoutingContext::next;
            }
        };
    }
}
