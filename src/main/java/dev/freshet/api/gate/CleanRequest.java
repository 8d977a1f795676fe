package dev.freshet.api.gate;

import dev.freshet.api.Problem;
import dev.freshet.api.QuietHeaders;
import io.netty.handler.codec.http.QueryStringEncoder;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Removes from a request what no route may see: keys, and names that would have a meaning for Camel. */
final class CleanRequest {

    /**
     * HTTP itself reads these headers, so they stay even if a query parameter has the same name; QuietHeaders keeps
     * both from routes.
     */
    private static final Set<String> READ_BY_HTTP = Set.of(
            "host",
            "connection",
            "content-length",
            "content-type",
            "content-encoding",
            "transfer-encoding",
            "expect",
            "upgrade",
            "accept",
            "origin",
            "te",
            "trailer");

    private CleanRequest() {}

    static void dropCamelHeaders(RoutingContext ctx) {
        MultiMap headers = ctx.request().headers();
        headers.names().stream().filter(QuietHeaders::isCamels).toList().forEach(headers::remove);
    }

    static Optional<Problem> judgeParameters(RoutingContext ctx) {
        return ctx.queryParams().names().stream()
                .filter(QuietHeaders::isCamels)
                .findFirst()
                .map(name -> Problem.of(400, name + ": not a query parameter of this API"));
    }

    /** So that a form's field that was left empty filters nothing. */
    static void dropEmptyParameters(RoutingContext ctx) {
        MultiMap query = ctx.queryParams();
        for (String name : Set.copyOf(query.names())) {
            List<String> given = query.getAll(name);
            List<String> filled =
                    given.stream().filter(value -> !value.isEmpty()).toList();
            if (filled.size() < given.size()) {
                query.remove(name).add(name, filled);
            }
        }
    }

    /** After this, nothing can log a key. Continues with the next handler, or starts routing again. */
    static void clean(RoutingContext ctx) {
        MultiMap headers = ctx.request().headers();
        headers.remove(HttpHeaders.AUTHORIZATION).remove("x-api-key");
        dropHeadersThatPoseAsParameters(ctx);
        HttpMethod method = ctx.request().method();
        String path = Paths.clear(ctx.request().path());
        // HEAD is served as a GET of which Vert.x sends only the headers; a stream would never end
        HttpMethod served = HttpMethod.HEAD.equals(method) && !path.endsWith("/stream") ? HttpMethod.GET : method;
        if (Paths.isLive(path) && ctx.queryParams().contains("key")) {
            ctx.reroute(served, withoutKey(ctx));
        } else if (!served.equals(method)) {
            ctx.reroute(served, ctx.request().uri());
        } else {
            ctx.next();
        }
    }

    /** Camel has one map for headers and query parameters. */
    private static void dropHeadersThatPoseAsParameters(RoutingContext ctx) {
        for (String name : ctx.queryParams().names()) {
            if (!READ_BY_HTTP.contains(name.toLowerCase(Locale.ROOT))) {
                ctx.request().headers().remove(name);
            }
        }
    }

    /**
     * FRESHET_LIVE_KEY travels in the query. Routes get the request without it, so that no log or trace can contain it.
     */
    private static String withoutKey(RoutingContext ctx) {
        MultiMap query = ctx.queryParams();
        query.remove("key");
        QueryStringEncoder rest = new QueryStringEncoder(ctx.request().path());
        for (Map.Entry<String, String> parameter : query) {
            rest.addParam(parameter.getKey(), parameter.getValue());
        }
        return rest.toString();
    }
}
