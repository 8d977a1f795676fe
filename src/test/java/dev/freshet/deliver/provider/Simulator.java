package dev.freshet.deliver.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A provider according to its documentation: it enforces every rule, and refuses what breaks one as the provider would.
 */
public abstract class Simulator implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A request that arrived, {@code path} with its query, as written. */
    public record Request(String method, String path, Map<String, List<String>> headers, String body) {
        String header(String name) {
            return headers.entrySet().stream()
                    .filter(header -> header.getKey().equalsIgnoreCase(name))
                    .map(header -> String.join(",", header.getValue()))
                    .findFirst()
                    .orElse("");
        }

        JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                return JSON.missingNode();
            }
        }
    }

    /** What it answers, and what it purged. */
    public record Reply(int status, String body, List<String> purged) {
        static Reply of(int status, String body) {
            return new Reply(status, body, List.of());
        }
    }

    /** Limits callers as most providers do. */
    static final class TokenBucket {
        private final double size;
        private final double aSecond;
        private double tokens;
        private long filledAt = System.nanoTime();

        TokenBucket(double size, double aSecond) {
            this.size = size;
            this.aSecond = aSecond;
            this.tokens = size;
        }

        synchronized boolean has(int wanted) {
            long now = System.nanoTime();
            tokens = Math.min(size, tokens + (now - filledAt) / 1e9 * aSecond);
            filledAt = now;
            return tokens >= wanted;
        }

        synchronized boolean take(int wanted) {
            boolean enough = has(wanted);
            tokens -= enough ? wanted : 0;
            return enough;
        }
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<String> purged = new ConcurrentLinkedQueue<>();
    private final Queue<String> refusals = new ConcurrentLinkedQueue<>();
    private final Queue<Reply> next = new ConcurrentLinkedQueue<>();
    private final Queue<Request> requests = new ConcurrentLinkedQueue<>();

    Simulator() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    abstract Reply answer(Request request);

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /** Tags as they were spelled, each as often as it was purged. */
    public List<String> purged() {
        return List.copyOf(purged);
    }

    /** All except the first ones, which are known already. */
    public List<String> purgedAfter(int known) {
        return purged.stream().skip(known).toList();
    }

    /** Everything that was not answered with 2xx, and why. */
    public List<String> refusals() {
        return List.copyOf(refusals);
    }

    public List<Request> requests() {
        return List.copyOf(requests);
    }

    /** The next request gets this answer, whatever it asks for. */
    public void next(int status, String body) {
        next.add(Reply.of(status, body));
    }

    static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            Request request = new Request(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().toString(),
                    Map.copyOf(exchange.getRequestHeaders()),
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            requests.add(request);
            Reply told = next.poll();
            Reply reply = told == null ? answer(request) : told;
            if (told == null && reply.status() / 100 != 2) {
                refusals.add(reply.status() + " " + reply.body() + " for " + request);
            }
            purged.addAll(reply.purged());
            byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(reply.status(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
