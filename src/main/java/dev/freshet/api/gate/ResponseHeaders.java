package dev.freshet.api.gate;

import dev.freshet.api.RequestId;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/** The headers that every answer carries for browsers and caches, whichever part answers. */
final class ResponseHeaders {

    private ResponseHeaders() {}

    static void put(RoutingContext ctx) {
        HttpServerResponse response = ctx.response();
        if (response.headWritten()) {
            return;
        }
        boolean asset = Paths.isAsset(Paths.clear(ctx.request().path()));
        response.putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                // no other page may frame the console and misuse a user's clicks
                .putHeader("Content-Security-Policy", "frame-ancestors 'none'")
                .putHeader(RequestId.HEADER, RequestId.of(ctx))
                .putHeader(HttpHeaders.CACHE_CONTROL, asset ? "no-cache" : "no-store");
        if (!asset) {
            ctx.addHeadersEndHandler(done -> sayJsonWhereNothingIsSaid(response));
        }
    }

    private static void sayJsonWhereNothingIsSaid(HttpServerResponse response) {
        if (!response.headers().contains(HttpHeaders.CONTENT_TYPE)
                && !"0".equals(response.headers().get(HttpHeaders.CONTENT_LENGTH))
                && response.getStatusCode() != 204
                && response.getStatusCode() != 304) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
        }
    }
}
