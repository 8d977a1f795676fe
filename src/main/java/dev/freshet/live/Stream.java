package dev.freshet.live;

import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.observe.LiveMeters;
import io.netty.channel.EventLoop;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.sql.SQLException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * GET /live/{eid}/stream. With an id to continue from, past events come from the history, up to the hub's position when
 * the stream entered. What is published after that waits until the past has been sent: there is no gap, and nothing
 * comes twice.
 */
public final class Stream implements Handler<RoutingContext> {
    private static final Logger LOG = LoggerFactory.getLogger(Stream.class);
    private static final int PAGE = 500;
    private static final int RETRY_AFTER_SECONDS = 5;

    private final Hub hub;
    private final History history;
    private final LiveMeters meters;
    private final ExecutorService replays;
    private final int mostPerClient;
    private final ConcurrentMap<String, Integer> perClient = new ConcurrentHashMap<>();

    /** @param replays has few threads, so that a thousand reconnecting clients leave connections for others */
    public Stream(Hub hub, History history, LiveMeters meters, ExecutorService replays, int mostPerClient) {
        this.hub = hub;
        this.history = history;
        this.meters = meters;
        this.replays = replays;
        this.mostPerClient = mostPerClient;
    }

    public void mountOn(Router router) {
        router.get("/live/:eid/stream").handler(this);
    }

    @Override
    public void handle(RoutingContext ctx) {
        String eid;
        try {
            eid = History.eid(ctx.pathParam("eid"));
        } catch (Refused refused) {
            refuse(ctx.response(), refused.problem());
            return;
        }
        String client = client(ctx.request());
        if (perClient.merge(client, 1, Integer::sum) > mostPerClient) {
            leave(client);
            refuse(
                    ctx.response(),
                    Problem.of(429, "too many open streams from this address: at most " + mostPerClient)
                            .retryAfter(RETRY_AFTER_SECONDS));
            return;
        }
        open(ctx, eid, client);
    }

    private void open(RoutingContext ctx, String eid, String client) {
        EventLoop loop = ((ContextInternal) ctx.vertx().getOrCreateContext()).nettyEventLoop();
        HttpServerResponse response = ctx.response();
        response.setChunked(true)
                .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                .putHeader("X-Accel-Buffering", "no");
        Subscriber subscriber = new Subscriber(eid, loop, named(ctx), ctx.request(), meters::tooSlow);
        ctx.addEndHandler(ended -> loop.execute(() -> {
            subscriber.gone();
            hub.leave(subscriber);
            leave(client);
        }));
        String cursor = cursor(ctx);
        Long place = cursor != null && cursor.matches("[0-9]{1,18}") ? Long.valueOf(cursor) : null;
        boolean entered = hub.enter(subscriber, position -> {
            if (cursor == null) {
                subscriber.startsAt(position);
            } else {
                subscriber.catchesUpTo(position, place);
            }
        });
        if (!entered) {
            subscriber.end();
        } else if (cursor != null) {
            begin(subscriber, place);
        }
    }

    private void begin(Subscriber subscriber, Long place) {
        if (place != null) {
            replay(subscriber, place, place);
        } else {
            subscriber.reset();
            subscriber.caughtUp(0);
        }
    }

    private void replay(Subscriber subscriber, long first, long after) {
        try {
            replays.execute(() -> {
                try {
                    History.Stretch stretch = history.after(subscriber.eid, after, subscriber.catchesUpTo(), PAGE);
                    subscriber.loop.execute(() -> tell(subscriber, stretch, first));
                } catch (SQLException | RuntimeException e) {
                    LOG.debug("No replay for a stream of {}", subscriber.eid, e);
                    subscriber.loop.execute(
                            // the client reconnects with the same id; an error status would end its attempts for good
                            subscriber::end);
                }
            });
        } catch (RejectedExecutionException stopping) {
            subscriber.end();
        }
    }

    private void tell(Subscriber subscriber, History.Stretch stretch, long first) {
        if (subscriber.isClosed()) {
            return;
        }
        if (!stretch.known()) {
            subscriber.reset();
            subscriber.caughtUp(0);
            return;
        }
        if (!stretch.events().isEmpty()) {
            subscriber.past(new Batch(stretch.events()));
        }
        if (stretch.events().size() < PAGE) {
            subscriber.caughtUp(first);
            return;
        }
        long next = stretch.events().get(PAGE - 1).id();
        if (subscriber.isFull()) {
            subscriber.whenThereIsRoom(() -> replay(subscriber, first, next));
        } else {
            replay(subscriber, first, next);
        }
    }

    /** A reconnecting browser sends the header; the id in its address is from its first visit. */
    private static String cursor(RoutingContext ctx) {
        String header = ctx.request().getHeader("Last-Event-ID");
        String given =
                header != null && !header.isBlank() ? header : ctx.queryParams().get("lastEventId");
        return given == null || given.isBlank() ? null : given.strip();
    }

    /**
     * An EventSource delivers a named event only to listeners of that name. With {@code ?as=message} events have no
     * name, so that a client also receives types that it does not know.
     */
    private static boolean named(RoutingContext ctx) {
        return !"message".equals(ctx.queryParams().get("as"));
    }

    private void leave(String client) {
        perClient.computeIfPresent(client, (address, open) -> open == 1 ? null : open - 1);
    }

    private static void refuse(HttpServerResponse response, Problem problem) {
        problem.headers().forEach(response::putHeader);
        response.setStatusCode(problem.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
                .end(problem.json());
    }

    private static String client(HttpServerRequest request) {
        return request.remoteAddress() == null
                ? "unknown"
                : request.remoteAddress().hostAddress();
    }
}
