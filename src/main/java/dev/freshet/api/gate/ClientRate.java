package dev.freshet.api.gate;

import dev.freshet.api.Problem;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** Limits the requests per second of each client address. */
final class ClientRate {

    private final ToLongFunction<String> secondsToWait;

    ClientRate(ToLongFunction<String> secondsToWait) {
        this.secondsToWait = secondsToWait;
    }

    Optional<Problem> judge(RoutingContext ctx) {
        long wait = secondsToWait.applyAsLong(client(ctx.request()));
        return wait > 0
                ? Optional.of(Problem.of(429, "too many requests; try again in " + wait + " s")
                        .retryAfter(wait))
                : Optional.empty();
    }

    static String client(HttpServerRequest request) {
        return request.remoteAddress() == null
                ? "unknown"
                : request.remoteAddress().hostAddress();
    }
}
