package dev.freshet.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A cache from Freshet's point of view, on bare sockets: it remembers every call, and answers 200 unless it was told
 * otherwise.
 */
public final class Receiver implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Answer WELL = status(200);

    /** A call as it arrived; {@code nanos} is the time of its arrival. */
    public record Call(long nanos, String request, Map<String, String> headers, String body, Answer answer) {
        public JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                throw new AssertionError("not JSON: " + body, e);
            }
        }

        public List<String> tags() {
            List<String> tags = new ArrayList<>();
            if (body.startsWith("<")) {
                return tags; // XML: its reader knows where the tags are
            }
            json().path("tags").forEach(tag -> tags.add(tag.asText()));
            return json().has("tag") ? List.of(json().get("tag").asText()) : tags;
        }

        public String header(String name) {
            return headers.get(name);
        }

        public boolean wentWell() {
            return answer == WELL;
        }
    }

    /** What the receiver does with one call. */
    public interface Answer {
        void give(Socket caller) throws IOException;
    }

    /** A call whose answer is held back for as long as the test wants. */
    public static final class Held implements Answer {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);

        @Override
        public void give(Socket caller) throws IOException {
            begun.countDown();
            await(released);
            status(200).give(caller);
        }

        public void awaitBegun() {
            if (!await(begun)) {
                throw new AssertionError("nobody called within " + PATIENCE);
            }
        }

        public void release() {
            released.countDown();
        }

        private static boolean await(CountDownLatch latch) {
            try {
                return latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Map<String, List<Call>> callsOf = new ConcurrentHashMap<>();
    private final Deque<Answer> nextOfAll = new ConcurrentLinkedDeque<>();
    private final Map<String, Deque<Answer>> next = new ConcurrentHashMap<>();
    private final Map<String, Answer> always = new ConcurrentHashMap<>();
    private final List<Held> held = new CopyOnWriteArrayList<>();
    private volatile Answer everybody;

    public Receiver() {
        this("127.0.0.1", 0);
    }

    /** @param port 0: any free one */
    public Receiver(String ip, int port) {
        try {
            server = new ServerSocket(port, 200, InetAddress.getByName(ip));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon(this::accept);
    }

    public String url() {
        return "http://" + server.getInetAddress().getHostAddress() + ":" + port();
    }

    public int port() {
        return server.getLocalPort();
    }

    /** The next calls that carry this tag get these answers, one each. */
    public void next(String tag, Answer... answers) {
        next.computeIfAbsent(tag, t -> new ConcurrentLinkedDeque<>()).addAll(Arrays.asList(answers));
    }

    /** The next calls, whatever tags they carry. */
    public void nextOfAll(Held... answers) {
        held.addAll(Arrays.asList(answers));
        nextOfAll.addAll(Arrays.asList(answers));
    }

    public void always(String tag, Answer answer) {
        always.put(tag, answer);
    }

    /** The answer to every call, whatever tags it carries; null: no longer. */
    public void everybody(Answer answer) {
        everybody = answer;
    }

    public void heal(String tag) {
        next.remove(tag);
        always.remove(tag);
    }

    /** The next call that carries this tag is held. */
    public Held hold(String tag) {
        Held answer = new Held();
        held.add(answer);
        next(tag, answer);
        return answer;
    }

    public List<Call> calls() {
        return List.copyOf(calls);
    }

    public List<Call> calls(String tag) {
        return List.copyOf(callsOf.getOrDefault(tag, List.of()));
    }

    public void awaitCalls(String tag, int times) {
        Eventually.is(
                PATIENCE,
                () -> calls(tag).size() >= times,
                () -> times + " calls of " + tag + "; there were " + calls(tag).size());
    }

    public static Answer status(int status, String... headers) {
        return caller -> {
            StringBuilder head = new StringBuilder(
                    "HTTP/1.1 " + status + " As told\r\nContent-Length: 2\r\nContent-Type: application/json\r\n");
            Arrays.stream(headers).forEach(header -> head.append(header).append("\r\n"));
            write(caller, head + "\r\n{}");
        };
    }

    public static Answer json(int status, String body) {
        return caller -> write(
                caller,
                "HTTP/1.1 " + status + " As told\r\nContent-Length: " + body.length()
                        + "\r\nContent-Type: application/json\r\n\r\n" + body);
    }

    public static Answer reset() {
        return caller -> {
            caller.setSoLinger(true, 0);
            caller.close();
        };
    }

    /** Gives no answer until the caller hangs up. */
    public static Answer hang() {
        return caller -> {
            caller.getInputStream().read();
            caller.close();
        };
    }

    /** Sends a byte now and then, so that no read of the caller ever times out, until the caller hangs up. */
    public static Answer drip() {
        return caller -> {
            write(caller, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
            while (true) {
                write(caller, ".");
                LockSupport.parkNanos(50_000_000);
            }
        };
    }

    @Override
    public void close() {
        held.forEach(Held::release);
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket caller = server.accept();
                open.add(caller);
                daemon(() -> serve(caller));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket caller) {
        try (caller) {
            InputStream in = new BufferedInputStream(caller.getInputStream());
            for (String request = line(in);
                    request != null && !caller.isClosed();
                    request = caller.isClosed() ? null : line(in)) {
                Call call = read(request, in);
                calls.add(call);
                call.tags()
                        .forEach(tag -> callsOf.computeIfAbsent(tag, first -> new CopyOnWriteArrayList<>())
                                .add(call));
                call.answer().give(caller);
            }
        } catch (IOException theCallerHasGone) {
            // callers may do that
        } finally {
            open.remove(caller);
        }
    }

    private Answer answerTo(List<String> tags) {
        if (everybody != null) {
            return everybody;
        }
        Answer first = nextOfAll.poll();
        if (first != null) {
            return first;
        }
        for (String tag : tags) {
            Answer answer =
                    next.getOrDefault(tag, new ConcurrentLinkedDeque<>()).poll();
            if (answer != null) {
                return answer;
            }
        }
        return tags.stream()
                .filter(always::containsKey)
                .map(always::get)
                .findFirst()
                .orElse(WELL);
    }

    private Call read(String request, InputStream in) throws IOException {
        Map<String, String> headers = new TreeMap<>();
        for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            String[] pair = line.split(":", 2);
            headers.put(pair[0].toLowerCase(Locale.ROOT), pair[1].strip());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        Call call = new Call(
                System.nanoTime(), request, headers, new String(in.readNBytes(length), StandardCharsets.UTF_8), null);
        return new Call(call.nanos(), request, headers, call.body(), answerTo(call.tags()));
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                return null;
            }
            if (next != '\r') {
                line.write(next);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private static void write(Socket caller, String text) throws IOException {
        OutputStream out = caller.getOutputStream();
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "receiver");
        thread.setDaemon(true);
        thread.start();
    }
}
