package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The console's stream beside a database that answers late. */
@Timeout(30)
class ConsoleStreamTest {
    private final Vertx vertx = Vertx.vertx();
    private final CountDownLatch databaseAnswers = new CountDownLatch(1);
    private final AtomicInteger looks = new AtomicInteger();

    @AfterEach
    void close() throws Exception {
        databaseAnswers.countDown();
        vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void readers_hear_that_it_is_there_while_a_look_at_the_database_takes_long() throws Exception {
        try (BufferedReader stream = open(serve())) {
            await(stream, ": still here");
            await(stream, ": still here");
            assertEquals(1, looks.get(), "the look still goes on");
        }
    }

    @Test
    void a_reader_that_comes_later_gets_the_whole_state_although_nothing_has_changed() throws Exception {
        databaseAnswers.countDown();
        URI uri = serve();
        try (BufferedReader first = open(uri)) {
            await(first, "event: overview");
            await(first, ": still here");
            try (BufferedReader second = open(uri)) {
                await(second, "event: series");
                await(second, "event: overview");
            }
        }
    }

    private URI serve() throws Exception {
        ConsoleStream stream = new ConsoleStream(this::look, List::of, Duration.ofMillis(20), Duration.ofMillis(200));
        Router router = Router.router(vertx);
        router.get("/stream").handler(stream);
        HttpServer server = vertx.createHttpServer()
                .requestHandler(router)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
        return URI.create("http://127.0.0.1:" + server.actualPort() + "/stream");
    }

    private OverviewAnswer look() {
        looks.incrementAndGet();
        try {
            assertTrue(databaseAnswers.await(1, TimeUnit.MINUTES));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private static BufferedReader open(URI uri) throws Exception {
        HttpResponse<java.io.InputStream> response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofInputStream());
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    private static void await(BufferedReader stream, String wanted) throws IOException {
        for (String line = stream.readLine(); line != null; line = stream.readLine()) {
            if (line.equals(wanted)) {
                return;
            }
        }
        throw new AssertionError("the stream ended before " + wanted);
    }
}
