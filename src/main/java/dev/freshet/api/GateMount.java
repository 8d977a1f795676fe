package dev.freshet.api;

import dev.freshet.run.log.LogIds;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts the gate in front of everything that platform-http serves, and gives Vert.x's own errors our form. */
public final class GateMount {

    private static final Logger LOG = LoggerFactory.getLogger(GateMount.class);
    private static final String MARK = "freshet.gate";
    private static final int BEFORE_ALL_ROUTES = -1000;
    private static final List<Integer> ERRORS = List.of(400, 401, 403, 404, 405, 406, 413, 415, 417, 500, 501, 503);

    private final Gate gate;
    private final Consumer<Router> behind;

    public GateMount(Gate gate) {
        this(gate, router -> {});
    }

    /** @param behind mounts what Camel does not serve: it is there as early as the gate */
    public GateMount(Gate gate, Consumer<Router> behind) {
        this.gate = gate;
        this.behind = behind;
    }

    /**
     * To be called in MainListener.afterConfigure; again: no effect. The server then starts early in the start of the
     * context, the gate as the next service, and routes only after both.
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
        // a management server on a port of its own would otherwise stand open beside the gate
        context.getRegistry().findByType(VertxPlatformHttpRouter.class).forEach(router -> mountOn(context, router));
    }

    private void mountOn(CamelContext context, VertxPlatformHttpRouter router) {
        if (router.getRoutes().stream().anyMatch(route -> route.getMetadata(MARK) != null)) {
            return;
        }
        router.route()
                .order(BEFORE_ALL_ROUTES)
                .putMetadata(MARK, true)
                .handler(gate)
                .handler(gate::readBody)
                .handler(gate::checkBody);
        behind.accept(router);
        // the registry keeps one bean per name and class, and both are of the class that routes ask for
        context.getRegistry().unbind(router.getName());
        context.getRegistry().bind(router.getName(), withoutBodyHandler(router));
        // platform-http mounts its router under another, which has the last word when nothing matched
        answerErrors(
                router.getServer().getServer().requestHandler() instanceof Router parent ? parent : router, router);
    }

    /** The gate has read the body when a route begins; Camel's body handler would fail on that over HTTP/2. */
    private static VertxPlatformHttpRouter withoutBodyHandler(VertxPlatformHttpRouter router) {
        return new VertxPlatformHttpRouter(router.getServer(), router.vertx(), router, router.getName()) {
            @Override
            public Handler<RoutingContext> bodyHandler() {
                return RoutingContext::next;
            }
        };
    }

    private void answerErrors(Router where, Router router) {
        for (int status : ERRORS) {
            where.errorHandler(status, ctx -> failed(ctx, status, router));
        }
        // so the body handler calls a client that went away; there is nobody to answer
        where.errorHandler(
                200,
                ctx -> LOG.debug("The client of {} went away", ctx.request().path()));
    }

    private void failed(RoutingContext ctx, int status, Router router) {
        if (status >= 500) {
            String given = ctx.response().headers().get("X-Request-Id");
            String request = given == null ? "unknown" : given;
            LogIds.with(
                    Map.of("request", request),
                    () -> LOG.error(
                            "Answered {} to request {}: {} {} failed",
                            status,
                            request,
                            ctx.request().method(),
                            ctx.request().path(),
                            ctx.failure()));
        }
        gate.failed(ctx, status, status == 405 ? methodsAt(ctx.normalizedPath(), router) : Set.of());
    }

    private static Set<HttpMethod> methodsAt(String path, Router router) {
        Set<HttpMethod> methods = new HashSet<>();
        for (Route route : router.getRoutes()) {
            if (route.methods() != null && route.getPath() != null && leadsTo(route, path)) {
                methods.addAll(route.methods());
            }
        }
        return methods;
    }

    private static boolean leadsTo(Route route, String path) {
        String[] template = route.getPath().replaceFirst("[/*]+$", "").split("/");
        String[] asked = path.replaceFirst("/+$", "").split("/");
        if (asked.length < template.length || route.isExactPath() && asked.length > template.length) {
            return false;
        }
        for (int i = 0; i < template.length; i++) {
            if (!template[i].startsWith(":") && !template[i].equals(asked[i])) {
                return false;
            }
        }
        return true;
    }
}
