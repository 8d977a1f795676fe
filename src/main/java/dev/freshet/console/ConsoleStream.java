package dev.freshet.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.Problem;
import dev.freshet.api.gate.Gate;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * GET /api/console/stream: the overview as server-sent events, once a second if it has changed. Each event is the whole
 * state, so a slow reader that misses some still ends up with everything. While there are no readers, the database is
 * not queried.
 */
final class ConsoleStream implements Handler<RoutingContext> {
    private static final Logger LOG = LoggerFactory.getLogger(ConsoleStream.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_READERS = 200;
    private static final long EVERY_MILLIS = 1_000;
    private static final int SILENT_LOOKS = 5;

    private record Series(List<Freshness.Point> points) {}

    private final Set<HttpServerResponse> readers = ConcurrentHashMap.newKeySet();
    private final Overview overview;
    private final AtomicBoolean telling = new AtomicBoolean();
    private Long timer;
    private String lastOverview = "";
    private String lastSeries = "";
    private int silence;

    ConsoleStream(Overview overview) {
        this.overview = overview;
    }

    @Override
    public void handle(RoutingContext ctx) {
        HttpServerResponse response = ctx.response();
        if (readers.size() >= MOST_READERS) {
            Problem problem =
                    Problem.of(503, "too many consoles are open; try again").retryAfter(10);
            problem.headers().forEach(response::putHeader);
            response.setStatusCode(503)
                    .putHeader("Content-Type", Problem.CONTENT_TYPE)
                    .end(problem.json());
            return;
        }
        response.setChunked(true).putHeader("Content-Type", "text/event-stream").putHeader("X-Accel-Buffering", "no");
        response.closeHandler(gone -> leave(ctx.vertx(), response));
        response.exceptionHandler(gone -> leave(ctx.vertx(), response));
        response.write("retry: 2000\n\nevent: you\ndata: {\"may_change\":" + Gate.mayChange(ctx) + ",\"now\":"
                + System.currentTimeMillis() + "}\n\n");
        ctx.vertx()
                .executeBlocking(
                        () -> event("series", new Series(overview.series())) + event("overview", overview.now()), false)
                .onComplete(first -> {
                    if (first.succeeded() && !response.closed()) {
                        response.write(first.result());
                        join(ctx.vertx(), response);
                        if (response.closed()) {
                            leave(ctx.vertx(), response); // it left before it had joined
                        }
                    } else if (!response.closed()) {
                        response.end();
                    }
                });
    }

    private synchronized void join(Vertx vertx, HttpServerResponse response) {
        readers.add(response);
        if (timer == null) {
            timer = vertx.setPeriodic(EVERY_MILLIS, tick -> {
                if (telling.compareAndSet(
                        false, true)) { // a database that is away makes a look take longer than a second
                    vertx.executeBlocking(
                                    () -> {
                                        tell();
                                        return null;
                                    },
                                    false)
                            .onFailure(e -> LOG.warn("The console's stream had nothing to tell: {}", e.toString()))
                            .onComplete(told -> telling.set(false));
                }
            });
        }
    }

    private synchronized void leave(Vertx vertx, HttpServerResponse response) {
        readers.remove(response);
        if (readers.isEmpty() && timer != null) {
            vertx.cancelTimer(timer);
            timer = null;
        }
    }

    private void tell() throws JsonProcessingException {
        String now = event("overview", overview.now());
        String series = event("series", new Series(overview.series()));
        StringBuilder news = new StringBuilder();
        news.append(now.equals(lastOverview) ? "" : now).append(series.equals(lastSeries) ? "" : series);
        silence = news.isEmpty() ? silence + 1 : 0;
        if (silence == SILENT_LOOKS) {
            news.append(": still here\n\n");
            silence = 0;
        }
        lastOverview = now;
        lastSeries = series;
        if (!news.isEmpty()) {
            readers.stream()
                    .filter(reader -> !reader.writeQueueFull())
                    .forEach(reader -> reader.write(news.toString()));
        }
    }

    private static String event(String name, Object data) throws JsonProcessingException {
        return "event: " + name + "\ndata: " + JSON.writeValueAsString(data) + "\n\n";
    }
}
