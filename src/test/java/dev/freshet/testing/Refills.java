package dev.freshet.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An app behind its cache: at each call it reads the page's row from a read replica, as if it rebuilt the page, and
 * remembers what it saw.
 */
public final class Refills implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NOTHING = "nothing";

    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(16);
    private final HikariDataSource replica;
    private final String sql;
    /** What the calls of each tag have read. */
    private final Map<String, List<Refill>> read = new ConcurrentHashMap<>();

    private volatile boolean failing;
    /** Calls are answered while this is open. */
    private volatile CountDownLatch answers = new CountDownLatch(0);

    /** @param caller the secret that the call was made with; each instance may have its own */
    private record Refill(String value, String caller) {}

    /** @param sql reads one value; its parameter is the tag */
    public Refills(StreamingServers.Server readsFrom, String database, String sql) throws IOException {
        this.sql = sql;
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + readsFrom.port + "/" + database + "?user=postgres");
        config.setMaximumPoolSize(16);
        config.setConnectionTimeout(5_000);
        config.setInitializationFailTimeout(-1);
        replica = new HikariDataSource(config);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
        server.createContext("/", this::refill);
        server.setExecutor(threads);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Whether each call is answered 500. */
    public void fails(boolean fails) {
        failing = fails;
    }

    /** Calls still read, and then wait for their answers. */
    public void hold() {
        answers = new CountDownLatch(1);
    }

    public void release() {
        answers.countDown();
    }

    /** Forgets what has been read so far. */
    public void forget() {
        read.clear();
    }

    public List<String> of(String tag) {
        return read.getOrDefault(tag, List.of()).stream().map(Refill::value).toList();
    }

    /** What all calls of one caller have read. */
    public List<String> by(String caller) {
        return all().filter(refill -> refill.caller().equals(caller))
                .map(Refill::value)
                .toList();
    }

    public void await(String tag, int times) {
        Eventually.is(
                Duration.ofSeconds(90),
                () -> of(tag).size() >= times,
                () -> times + " calls of " + tag + "; there were " + of(tag));
    }

    public int tags() {
        return read.size();
    }

    /** The number of calls that have read this value. */
    public long count(String value) {
        return all().filter(refill -> refill.value().equals(value)).count();
    }

    private Stream<Refill> all() {
        return read.values().stream().flatMap(List::stream);
    }

    @Override
    public String toString() {
        return all().collect(Collectors.groupingBy(refill -> refill, Collectors.counting()))
                .toString();
    }

    private void refill(HttpExchange exchange) throws IOException {
        JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
        String caller = String.valueOf(exchange.getRequestHeaders().getFirst("x-revalidation-secret"));
        if (body.has("tag")) {
            refill(body.get("tag").asText(), caller);
        }
        body.path("tags").forEach(tag -> refill(tag.asText(), caller));
        try {
            answers.await();
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
        exchange.sendResponseHeaders(failing ? 500 : 200, -1);
        exchange.close();
    }

    private void refill(String tag, String caller) {
        String value = NOTHING;
        try (Connection connection = replica.getConnection()) {
            value = TestDatabase.list(connection, sql, tag).stream().findFirst().orElse(NOTHING);
        } catch (SQLException away) {
            value = "away: " + away.getMessage();
        }
        read.computeIfAbsent(tag, t -> new CopyOnWriteArrayList<>()).add(new Refill(value, caller));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        replica.close();
    }
}
