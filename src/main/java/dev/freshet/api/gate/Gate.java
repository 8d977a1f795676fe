package dev.freshet.api.gate;

import dev.freshet.api.ApiRates;
import dev.freshet.api.Bind;
import dev.freshet.api.Keys;
import dev.freshet.api.Problem;
import dev.freshet.api.RefusalReports;
import dev.freshet.api.RequestId;
import io.vertx.core.Handler;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Every request passes through here before any route sees it, so that no route can forget a check.
 *
 * <p>Some pass twice: when {@link CleanRequest} removes a key from the query, Vert.x starts routing again, without
 * response headers. The request then gets those again, and is not checked again.
 */
public final class Gate {

    private static final String ADMITTED = "freshet.admitted";

    private final CrossOriginSharing sharing;
    private final ClientRate rate;
    private final LocalOnly localOnly;
    private final Rights rights;
    private final JsonBodies bodies;
    private final ProblemAnswers answers;

    public Gate(Keys keys, Bind bind, ApiRates limits, RefusalReports reports) {
        this.sharing = new CrossOriginSharing(bind);
        this.rate = new ClientRate(limits.rate());
        this.localOnly = new LocalOnly(keys, bind, sharing);
        this.rights = new Rights(keys);
        this.bodies = new JsonBodies(limits);
        this.answers = new ProblemAnswers(reports);
    }

    /** Mounts the whole chain. If a request has several problems, the caller is told the first. */
    void guard(Route route) {
        route.handler(once(step(CleanRequest::dropCamelHeaders)))
                .handler(step(RequestId::of))
                .handler(step(ResponseHeaders::put))
                .handler(step(sharing::share))
                .handler(once(check(rate::judge)))
                .handler(once(check(localOnly::judge)))
                .handler(once(check(rights::judge)))
                .handler(once(check(CleanRequest::judgeParameters)))
                .handler(step(CleanRequest::dropEmptyParameters))
                .handler(once(check(bodies::judge)))
                .handler(once(sharing::answerPreflight))
                .handler(once(this::admit))
                .handler(bodies::read)
                .handler(check(bodies::judgeRead));
    }

    /** Whether the caller also has the right to change something. */
    public static boolean mayChange(RoutingContext ctx) {
        return Rights.mayChange(ctx);
    }

    /** Answers what Vert.x itself refuses in our format. */
    VertxErrors errors() {
        return new VertxErrors(bodies, answers);
    }

    private void admit(RoutingContext ctx) {
        ctx.put(ADMITTED, true);
        CleanRequest.clean(ctx);
    }

    private static Handler<RoutingContext> once(Handler<RoutingContext> handler) {
        return ctx -> {
            if (ctx.get(ADMITTED) == null) {
                handler.handle(ctx);
            } else {
                ctx.next();
            }
        };
    }

    private static Handler<RoutingContext> step(Consumer<RoutingContext> step) {
        return ctx -> {
            step.accept(ctx);
            ctx.next();
        };
    }

    /** Returns what is wrong with a request, if anything. */
    private interface Check {
        Optional<Problem> judge(RoutingContext ctx);
    }

    private Handler<RoutingContext> check(Check check) {
        return ctx -> check.judge(ctx).ifPresentOrElse(problem -> answers.refuse(ctx, problem), ctx::next);
    }
}
