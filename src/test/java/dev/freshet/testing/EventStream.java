package dev.freshet.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/** One reader of a text/event-stream, byte for byte. A thousand readers share one thread. */
public final class EventStream implements AutoCloseable {
    public record Event(String id, String type, String data) {
        public long number() {
            return Long.parseLong(id);
        }
    }

    private static final int KEPT = 10_000;
    private static final Selector SELECTOR;
    private static final ConcurrentLinkedQueue<EventStream> NEW = new ConcurrentLinkedQueue<>();

    static {
        try {
            SELECTOR = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread reader = new Thread(EventStream::readAll, "event-streams");
        reader.setDaemon(true);
        reader.start();
    }

    private final SocketChannel channel;
    private final StringBuilder head = new StringBuilder();
    private final StringBuilder line = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final List<Event> events = new ArrayList<>();
    private final List<String> others = new ArrayList<>();
    private String id = "";
    private String type = "message";
    private String data;
    private boolean headEnded;
    private boolean ended;

    /** @param path such as {@code /live/E/stream} */
    public static EventStream open(FreshetProcess freshet, String path, String... headers) {
        try {
            int port = java.net.URI.create(freshet.url()).getPort();
            SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
            String request =
                    "GET " + path + " HTTP/1.1\r\nHost: localhost:" + port + "\r\nAccept: text/event-stream\r\n"
                            + String.join(
                                    "",
                                    java.util.Arrays.stream(headers)
                                            .map(header -> header + "\r\n")
                                            .toList()) + "\r\n";
            ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.configureBlocking(false);
            EventStream stream = new EventStream(channel);
            NEW.add(stream);
            SELECTOR.wakeup();
            Eventually.is(java.time.Duration.ofSeconds(30), stream::hasHead, () -> "an answer to " + path);
            return stream;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private EventStream(SocketChannel channel) {
        this.channel = channel;
    }

    private synchronized boolean hasHead() {
        return headEnded || ended;
    }

    public synchronized String head() {
        return head.toString();
    }

    public synchronized List<Event> events() {
        return List.copyOf(events);
    }

    /** Comments, {@code retry:} lines, and ids without an event. */
    public synchronized List<String> others() {
        return List.copyOf(others);
    }

    /** The beginning of the stream, line by line as it arrived after the head. */
    public synchronized String text() {
        return text.toString();
    }

    /** What a browser would send as Last-Event-ID. */
    public synchronized String lastId() {
        return id;
    }

    public synchronized boolean hasEnded() {
        return ended;
    }

    public List<Event> await(int count) {
        Eventually.is(
                java.time.Duration.ofSeconds(60),
                () -> events().size() >= count,
                () -> count + " events, but: " + tail());
        return events();
    }

    private String tail() {
        List<Event> all = events();
        return all.size()
                + (hasEnded() ? " and the end: " : ": ")
                + all.subList(Math.max(0, all.size() - 5), all.size())
                + others();
    }

    public List<String> types() {
        return events().stream().map(Event::type).toList();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void readAll() {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        while (true) {
            try {
                SELECTOR.select();
                for (EventStream stream = NEW.poll(); stream != null; stream = NEW.poll()) {
                    if (stream.channel.isOpen()) {
                        stream.channel.register(SELECTOR, SelectionKey.OP_READ, stream);
                    }
                }
                for (SelectionKey key : SELECTOR.selectedKeys()) {
                    ((EventStream) key.attachment()).read(buffer);
                }
                SELECTOR.selectedKeys().clear();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private synchronized void read(ByteBuffer buffer) {
        buffer.clear();
        int length;
        try {
            length = channel.read(buffer);
        } catch (IOException e) {
            length = -1;
        }
        if (length < 0) {
            ended = true;
            close();
            return;
        }
        buffer.flip();
        String text = StandardCharsets.UTF_8.decode(buffer).toString();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                take(line.toString());
                line.setLength(0);
            } else {
                line.append(text.charAt(i));
            }
        }
    }

    /** Lines of the head and of the chunks' framing end with CR; those of the stream do not. */
    private void take(String said) {
        if (!headEnded) {
            head.append(said).append('\n');
            headEnded = said.equals("\r");
        } else if (said.endsWith("\r")) {
            ended |= said.equals("0\r");
        } else {
            if (text.length() < KEPT) {
                text.append(said).append('\n');
            }
            takeField(said);
        }
    }

    private void takeField(String said) {
        if (said.isEmpty()) {
            if (data != null) {
                events.add(new Event(id, type, data));
            }
            data = null;
            type = "message";
        } else if (said.startsWith("id: ")) {
            id = said.substring(4);
        } else if (said.startsWith("event: ")) {
            type = said.substring(7);
        } else if (said.startsWith("data: ")) {
            data = said.substring(6);
        } else {
            others.add(said);
        }
    }
}
