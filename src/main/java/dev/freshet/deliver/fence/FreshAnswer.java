package dev.freshet.deliver.fence;

import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.database.Json;
import dev.freshet.settings.Durations;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/** GET /api/fresh?after=TOKEN&wait=10s. No thread waits: the answer is written when {@link Fences} has one. */
public final class FreshAnswer implements Handler<RoutingContext> {
    private static final Pattern TOKEN = Pattern.compile("[1-9][0-9]{0,18}-[0-9a-f]{16}-[0-9a-f]{32}");
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final int LONGEST_SHOWN = 40;

    private final Fences fences;

    public FreshAnswer(Fences fences) {
        this.fences = fences;
    }

    public void mountOn(Router router) {
        router.get("/api/fresh").handler(this);
    }

    @Override
    public void handle(RoutingContext ctx) {
        try {
            String token = token(ctx.queryParams().getAll("after"));
            Duration wait = patience(ctx.queryParams().getAll("wait"));
            if (TOKEN.matcher(token).matches()) {
                await(ctx, token, wait);
            } else {
                say(ctx.response(), FenceStanding.unknown());
            }
        } catch (Refused refused) {
            say(ctx.response(), FenceStanding.of(refused.problem()));
        }
    }

    private void await(RoutingContext ctx, String token, Duration wait) {
        Context loop = ctx.vertx().getOrCreateContext();
        Fences.Waiter waiter = new Fences.Waiter(
                token,
                System.nanoTime() + wait.toNanos(),
                standing -> loop.runOnContext(now -> say(ctx.response(), standing)));
        if (!fences.enter(waiter)) {
            say(
                    ctx.response(),
                    FenceStanding.of(
                            Problem.of(503, "too many wait already; try again").retryAfter(1)));
            return;
        }
        ctx.addEndHandler(gone -> fences.leave(waiter));
        if (ctx.response().closed()) {
            fences.leave(waiter); // the client left before the waiter was registered
        }
    }

    private static String token(List<String> given) {
        if (given.size() != 1 || given.get(0).isBlank()) {
            throw new Refused(400, "after: write one token, as SELECT cache_invalidation_fence() gives it");
        }
        return given.get(0).strip();
    }

    private static Duration patience(List<String> given) {
        if (given.isEmpty()) {
            return Duration.ZERO;
        }
        try {
            Duration wait = Durations.parse(given.get(0));
            if (given.size() == 1 && wait.compareTo(LONGEST) <= 0) {
                return wait;
            }
        } catch (IllegalArgumentException noDuration) {
            // the same answer
        }
        String shown = String.join(",", given);
        throw new Refused(
                400,
                "wait: must be a time of 0 to 30 s, such as 10s or 500ms (a bare number is seconds); this is "
                        + (shown.length() > LONGEST_SHOWN ? shown.substring(0, LONGEST_SHOWN) + "…" : shown));
    }

    private static void say(HttpServerResponse response, FenceStanding standing) {
        if (response.ended() || response.closed()) {
            return;
        }
        response.setStatusCode(standing.status());
        if (standing.body() instanceof Problem problem) {
            problem.headers().forEach(response::putHeader);
            response.putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE).end(problem.json());
        } else {
            response.putHeader(HttpHeaders.CONTENT_TYPE, "application/json").end(Json.text(standing.body()));
        }
    }
}
