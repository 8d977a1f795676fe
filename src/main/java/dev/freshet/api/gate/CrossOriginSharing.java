package dev.freshet.api.gate;

import dev.freshet.api.Bind;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/** Lets pages of other origins read what is meant for them: live events, and the module that opens their stream. */
final class CrossOriginSharing {

    private final Bind bind;

    CrossOriginSharing(Bind bind) {
        this.bind = bind;
    }

    /** Sets the header on refusals too: a page must be able to read the reason. */
    void share(RoutingContext ctx) {
        if (!isForOthers(ctx)) {
            return;
        }
        HttpServerResponse response = ctx.response();
        String allowed = bind.shares(ctx.request().getHeader(HttpHeaders.ORIGIN));
        if (!"*".equals(allowed)) {
            response.putHeader(HttpHeaders.VARY, "Origin");
        }
        if (allowed == null) {
            return;
        }
        response.putHeader("Access-Control-Allow-Origin", allowed);
        if (isPreflight(ctx)) {
            response.putHeader("Access-Control-Allow-Methods", "GET, HEAD")
                    .putHeader("Access-Control-Allow-Headers", "Authorization, X-Api-Key, Last-Event-ID, Cache-Control")
                    .putHeader("Access-Control-Max-Age", "600");
        } else {
            response.putHeader("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
        }
    }

    /** Whether this origin's pages may read the answer. */
    boolean isShared(RoutingContext ctx) {
        return isForOthers(ctx) && bind.shares(ctx.request().getHeader(HttpHeaders.ORIGIN)) != null;
    }

    void answerPreflight(RoutingContext ctx) {
        if (isPreflight(ctx)) {
            ctx.response().setStatusCode(204).end();
        } else {
            ctx.next();
        }
    }

    static boolean isPreflight(RoutingContext ctx) {
        return ctx.request().method().equals(HttpMethod.OPTIONS)
                && Paths.isSharedAcrossOrigins(Paths.clear(ctx.request().path()));
    }

    private static boolean isForOthers(RoutingContext ctx) {
        HttpMethod method = ctx.request().method();
        return Paths.isSharedAcrossOrigins(Paths.clear(ctx.request().path()))
                && (Paths.isReading(method) || method.equals(HttpMethod.OPTIONS));
    }
}
