package dev.freshet.api.gate;

import dev.freshet.api.Problem;
import dev.freshet.api.RequestId;
import dev.freshet.run.log.LogIds;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers in our format what Vert.x would answer as text or HTML. */
final class VertxErrors {

    private static final Logger LOG = LoggerFactory.getLogger(VertxErrors.class);
    private static final List<Integer> ERRORS = List.of(400, 401, 403, 404, 405, 406, 413, 415, 417, 500, 501, 503);

    private final JsonBodies bodies;
    private final ProblemAnswers answers;

    VertxErrors(JsonBodies bodies, ProblemAnswers answers) {
        this.bodies = bodies;
        this.answers = answers;
    }

    /**
     * @param where the router that answers when nothing matched
     * @param router knows what is served
     */
    void mountOn(Router where, Router router) {
        for (int status : ERRORS) {
            where.errorHandler(status, ctx -> failed(ctx, status, router));
        }
        // the body handler reports a client that has disconnected like this; there is no one to answer
        where.errorHandler(
                200,
                ctx -> LOG.debug("The client of {} went away", ctx.request().path()));
    }

    private void failed(RoutingContext ctx, int status, Router router) {
        if (status >= 500) {
            log(ctx, status);
        }
        RequestId.of(ctx);
        ResponseHeaders.put(ctx);
        if (status == 413) {
            answers.refuse(ctx, bodies.tooLarge(ctx));
        } else {
            answers.answer(ctx, status == 405 ? notAllowed(ctx, router) : problem(ctx.request(), status));
        }
    }

    private static void log(RoutingContext ctx, int status) {
        String given = ctx.response().headers().get(RequestId.HEADER);
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

    private static Problem problem(HttpServerRequest request, int status) {
        return switch (status) {
            case 400 ->
                request.getHeader(HttpHeaders.HOST) == null && request.version() == HttpVersion.HTTP_1_1
                        ? Problem.of(400, "Host: required")
                        : Problem.of(400, "the request is malformed: check the percent-encoding of its path and query");
            case 404 -> Problem.of(404, "nothing is served at this path");
            case 406 -> Problem.of(406, "Accept: the answer is application/json");
            case 415 -> JsonBodies.notJson();
            case 417 -> Problem.of(417, "Expect: only 100-continue is understood");
            case 503 -> Problem.of(503, "not ready; try again").retryAfter(5);
            default -> Problem.of(status, status >= 500 ? "internal error" : "the request cannot be served");
        };
    }

    private static Problem notAllowed(RoutingContext ctx, Router router) {
        Set<HttpMethod> allowed = ServedMethods.at(ctx.normalizedPath(), router);
        String methods = String.join(
                ", ", allowed.stream().map(HttpMethod::name).sorted().toList());
        return Problem.of(405, ctx.request().method().name() + " is not served at this path; it serves " + methods)
                .withHeader("Allow", methods);
    }
}
