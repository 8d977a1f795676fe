package dev.freshet.api.gate;

import dev.freshet.api.Problem;
import dev.freshet.api.RefusalReports;
import dev.freshet.api.RefusedRequest;
import dev.freshet.api.RequestId;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;

/** Tells the caller what is wrong, and reports the refusal for the record. */
final class ProblemAnswers {

    private static final long DRAIN_MILLIS = 5_000;
    private static final int LONGEST_PATH = 200;

    private final RefusalReports reports;

    ProblemAnswers(RefusalReports reports) {
        this.reports = reports;
    }

    /** Answers the request, and reports that the gate refused it. */
    void refuse(RoutingContext ctx, Problem problem) {
        if (reports.count()) {
            RefusedRequest refused = refused(ctx, problem);
            // the sink may block, this thread must not
            ctx.vertx()
                    .executeBlocking(
                            () -> {
                                reports.report(refused);
                                return null;
                            },
                            false);
        }
        answer(ctx, problem);
    }

    void answer(RoutingContext ctx, Problem problem) {
        HttpServerResponse response = ctx.response();
        if (response.ended() || response.closed()) {
            return;
        }
        if (response.headWritten()) {
            response.reset();
            return;
        }
        problem.headers().forEach(response::putHeader);
        response.setStatusCode(problem.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
                .end(problem.json());
        drain(ctx);
    }

    /**
     * Closing at once would reset the connection before the client has read the reason. Clients that send endlessly are
     * cut off.
     */
    private static void drain(RoutingContext ctx) {
        HttpServerRequest request = ctx.request();
        if (request.isEnded()) {
            return;
        }
        request.resume();
        ctx.vertx().setTimer(DRAIN_MILLIS, timer -> {
            if (!request.isEnded()) {
                request.connection().close();
            }
        });
    }

    private static RefusedRequest refused(RoutingContext ctx, Problem problem) {
        HttpServerRequest request = ctx.request();
        String path = String.valueOf(request.path());
        return new RefusedRequest(
                Instant.now(),
                request.method().name(),
                path.substring(0, Math.min(LONGEST_PATH, path.length())),
                problem.status(),
                problem.detail(),
                ClientRate.client(request),
                RequestId.of(ctx));
    }
}
