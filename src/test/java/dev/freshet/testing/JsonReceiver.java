package dev.freshet.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.concurrent.CopyOnWriteArrayList;

/** A target that remembers the JSON it was sent, and answers with success unless it was told otherwise. */
public final class JsonReceiver implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    public record Got(String path, Map<String, List<String>> headers, JsonNode body) {
        public List<String> tags() {
            List<String> tags = new ArrayList<>();
            body.path("tags").forEach(tag -> tags.add(tag.asText()));
            return tags;
        }
    }

    private record Answer(int status, String body) {}

    public final List<Got> calls = new CopyOnWriteArrayList<>();
    public final String url;
    private static final Answer WELL = new Answer(200, "{\"success\":true}");

    private final Queue<Answer> next = new ConcurrentLinkedQueue<>();
    private volatile Answer otherwise = WELL;
    private final HttpServer server;

    public JsonReceiver() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", exchange -> {
            calls.add(new Got(
                    exchange.getRequestURI().toString(),
                    Map.copyOf(exchange.getRequestHeaders()),
                    JSON.readTree(exchange.getRequestBody().readAllBytes())));
            Answer answer = next.poll();
            answer = answer == null ? otherwise : answer;
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        url = "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public void next(int status, String body) {
        next.add(new Answer(status, body));
    }

    /** The answer from now on, until told otherwise. */
    public void always(int status, String body) {
        otherwise = new Answer(status, body);
    }

    /** Resets the receiver. */
    public void forget() {
        next.clear();
        otherwise = WELL;
        calls.clear();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
