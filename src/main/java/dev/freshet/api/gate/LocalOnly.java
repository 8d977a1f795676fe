package dev.freshet.api.gate;

import dev.freshet.api.Bind;
import dev.freshet.api.Keys;
import dev.freshet.api.Problem;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;

/**
 * With no key configured, everyone on this machine may do everything, except for pages of other sites in its browsers.
 * Host and Origin reveal those.
 */
final class LocalOnly {

    private final Keys keys;
    private final Bind bind;
    private final CrossOriginSharing sharing;

    LocalOnly(Keys keys, Bind bind, CrossOriginSharing sharing) {
        this.keys = keys;
        this.bind = bind;
        this.sharing = sharing;
    }

    Optional<Problem> judge(RoutingContext ctx) {
        if (!keys.areMissing()) {
            return Optional.empty();
        }
        HttpServerRequest request = ctx.request();
        String host = host(request);
        if (!bind.accepts(host)) {
            return Optional.of(
                    Problem.of(403, "Host: without a key Freshet answers to localhost only; set INTERNAL_API_KEY"));
        }
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        if (origin != null && !sharing.isShared(ctx) && !Bind.isOwn(origin, scheme(request), host)) {
            return Optional.of(
                    Problem.of(403, "Origin: without a key only Freshet's own pages may ask; set INTERNAL_API_KEY"));
        }
        return Optional.empty();
    }

    private static String host(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            return request.authority() == null ? null : request.authority().toString();
        }
        List<String> hosts = request.headers().getAll(HttpHeaders.HOST);
        return hosts.size() == 1 ? hosts.get(0).strip() : null;
    }

    /** A page cannot send X-Forwarded-Proto to another origin without a preflight, which is refused. */
    private String scheme(HttpServerRequest request) {
        boolean tlsEndsBefore =
                bind.allowAnonymous() && "https".equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"));
        return tlsEndsBefore ? "https" : request.scheme();
    }
}
