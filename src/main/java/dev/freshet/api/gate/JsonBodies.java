package dev.freshet.api.gate;

import dev.freshet.api.ApiRates;
import dev.freshet.api.Problem;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Bodies must be JSON, uncompressed, and within the size limit. They are read here because the limit depends on the
 * path.
 */
final class JsonBodies {

    private static final Pattern JSON =
            Pattern.compile("application/([a-z0-9!#$&^_.-]+\\+)?json", Pattern.CASE_INSENSITIVE);

    private final ApiRates limits;
    private final BodyHandler small;
    private final BodyHandler large;

    JsonBodies(ApiRates limits) {
        this.limits = limits;
        this.small = bodies(limits.bodyBytes());
        this.large = bodies(limits.invalidateBodyBytes());
    }

    /** Checks what can be known before the body is read. */
    Optional<Problem> judge(RoutingContext ctx) {
        HttpServerRequest request = ctx.request();
        for (String encoding : request.headers().getAll(HttpHeaders.CONTENT_ENCODING)) {
            if (!encoding.isBlank() && !encoding.strip().equalsIgnoreCase("identity")) {
                return Optional.of(Problem.of(415, "Content-Encoding: send the body as it is (identity)"));
            }
        }
        long length = contentLength(request);
        boolean unknownLength = length < 0
                && (request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                        || request.version() == HttpVersion.HTTP_2 && !request.isEnded());
        boolean typed = request.headers().contains(HttpHeaders.CONTENT_TYPE);
        return (length > 0 || unknownLength && typed) && !isJson(request) ? Optional.of(notJson()) : Optional.empty();
    }

    /** Fails with 413, by Content-Length or while the body arrives. */
    void read(RoutingContext ctx) {
        (isLarge(Paths.clear(ctx.request().path())) ? large : small).handle(ctx);
    }

    /** Whether a chunked body is empty is known only now; an empty one needs no Content-Type. */
    Optional<Problem> judgeRead(RoutingContext ctx) {
        return ctx.body().length() > 0 && !isJson(ctx.request()) ? Optional.of(notJson()) : Optional.empty();
    }

    static Problem notJson() {
        return Problem.of(415, "Content-Type: must be application/json");
    }

    Problem tooLarge(RoutingContext ctx) {
        boolean isLarge = isLarge(Paths.clear(ctx.request().path()));
        return Problem.of(
                413, "body: at most " + (isLarge ? limits.invalidateBodyBytes() : limits.bodyBytes()) + " bytes");
    }

    private static boolean isLarge(String path) {
        return path.startsWith("/invalidate/");
    }

    private static boolean isJson(HttpServerRequest request) {
        List<String> types = request.headers().getAll(HttpHeaders.CONTENT_TYPE);
        return types.size() == 1
                && JSON.matcher(types.get(0).split(";", 2)[0].strip()).matches();
    }

    private static long contentLength(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length.strip());
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private static BodyHandler bodies(long limit) {
        return BodyHandler.create(false).setBodyLimit(limit).setMergeFormAttributes(false);
    }
}
