package dev.freshet.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.Problem;
import dev.freshet.api.gate.Gate;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * GET /api/console/stream: the overview as server-sent events, once a second if it has changed. Each event is the whole
 * state, so a slow reader that misses some still ends up with everything. While there are no readers, the database is
 * not queried. Comments tell readers that Freshet is there, also while a look at the database takes long.
 */
final class ConsoleStream implements Handler<RoutingContext> {
    private static final Logger LOG = LoggerFactory.getLogger(ConsoleStream.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_READERS = 200;
    private static final Duration EVERY = Duration.ofSeconds(1);
    /** The page takes a stream that has been silent for 12 s for broken (api.js). */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);

    private record Series(List<Freshness.Point> points) {}

    private final Set<HttpServerResponse> readers = ConcurrentHashMap.newKeySet();
    private final Supplier<OverviewAnswer> overview;
    private final Supplier<List<Freshness.Point>> series;
    private final Duration every;
    private final Duration longestSilence;
    private final AtomicBoolean telling = new AtomicBoolean();
    private final AtomicBoolean newReader = new AtomicBoolean();
    private Long timer;
    private String lastOverview = "";
    private String lastSeries = "";
    private volatile long lastWritten = System.nanoTime();

    ConsoleStream(Overview overview) {
        this(overview::now, overview::series, EVERY, LONGEST_SILENCE);
    }

    ConsoleStream(
            Supplier<OverviewAnswer> overview,
            Supplier<List<Freshness.Point>> series,
            Duration every,
            Duration longestSilence) {
        this.overview = overview;
        this.series = series;
        this.every = every;
        this.longestSilence = longestSilence;
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
        join(ctx.vertx(), response);
        look(ctx.vertx());
    }

    private synchronized void join(Vertx vertx, HttpServerResponse response) {
        readers.add(response);
        newReader.set(true);
        if (response.closed()) {
            readers.remove(response); // it left before it had joined
        } else if (timer == null) {
            timer = vertx.setPeriodic(every.toMillis(), tick -> {
                look(vertx);
                breakSilence();
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

    /** A look takes longer than a second while the database is away. The next one waits for its end. */
    private void look(Vertx vertx) {
        if (telling.compareAndSet(false, true)) {
            vertx.executeBlocking(
                            () -> {
                                tell();
                                return null;
                            },
                            false)
                    .onFailure(e -> LOG.warn("The console's stream had nothing to tell: {}", e.toString()))
                    .onComplete(told -> telling.set(false));
        }
    }

    private void tell() throws JsonProcessingException {
        boolean all = newReader.getAndSet(false);
        String now = event("overview", overview.get());
        String points = event("series", new Series(series.get()));
        String news = (all || !points.equals(lastSeries) ? points : "") + (all || !now.equals(lastOverview) ? now : "");
        lastOverview = now;
        lastSeries = points;
        if (!news.isEmpty()) {
            write(news);
        }
    }

    private void breakSilence() {
        if (System.nanoTime() - lastWritten > longestSilence.toNanos()) {
            write(": still here\n\n");
        }
    }

    private void write(String text) {
        lastWritten = System.nanoTime();
        readers.stream().filter(reader -> !reader.writeQueueFull()).forEach(reader -> reader.write(text));
    }

    private static String event(String name, Object data) throws JsonProcessingException {
        return "event: " + name + "\ndata: " + JSON.writeValueAsString(data) + "\n\n";
    }
}
