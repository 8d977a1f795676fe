package dev.freshet.live;

import io.netty.channel.EventLoop;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;

/** One open stream. All methods are called on its connection's event loop, so no lock is needed. */
final class Subscriber {
    /**
     * How many bytes may be unsent. A reader that lags further behind is disconnected, and reconnects with its last id.
     */
    static final int MOST_UNSENT_BYTES = 1 << 20;

    private static final Shared BARE_BEAT = Shared.of(":\n\n");

    final String eid;
    final EventLoop loop;
    /** Whether frames state their type. */
    private final boolean named;

    private final Wire wire;
    private final Runnable onSlow;
    /** The client has everything up to this id. */
    private long after;

    private boolean closed;
    /** What is published while the past is still being replayed; null: it has caught up. */
    private Queue<Batch> waiting;

    private int waitingBytes;

    Subscriber(String eid, EventLoop loop, boolean named, HttpServerRequest request, Runnable onSlow) {
        this.eid = eid;
        this.loop = loop;
        this.named = named;
        this.wire = new Wire(request, MOST_UNSENT_BYTES);
        this.onSlow = onSlow;
    }

    /** Starts the stream at the current position, and sends that id, in case it ends before the first event. */
    void startsAt(long position) {
        after = position;
        begin("id: " + position + "\n");
    }

    /**
     * Starts the stream with past events.
     *
     * @param cursor the client's position: it must not get a later id before it has all of the past; null: the id is
     *     unknown
     */
    void catchesUpTo(long position, Long cursor) {
        after = position;
        waiting = new ArrayDeque<>();
        begin(cursor == null || named ? "" : "id: " + cursor + "\n");
    }

    /** Clients that asked for messages get a hello event, which a page can see and which tells it its position. */
    private void begin(String id) {
        String hello = named ? "" : "event: hello\ndata: {\"type\":\"hello\",\"event_eid\":\"" + eid + "\"}\n";
        write(Shared.of("retry: " + pause(1_000, 3_000) + "\n" + hello + id + "\n"));
    }

    long catchesUpTo() {
        return after;
    }

    void past(Batch batch) {
        write(batch.after(0, named));
    }

    /** What was missed can no longer be sent, or the id is unknown. */
    void reset() {
        write(Shared.of(resetFrame(after)));
    }

    private String resetFrame(long id) {
        return "event: reset\ndata: {\"type\":\"reset\",\"event_eid\":\"" + eid + "\"}\nid: " + id + "\n\n";
    }

    /** @param cursor the client's position, which may be ahead of this instance */
    void caughtUp(long cursor) {
        after = Math.max(after, cursor);
        Queue<Batch> missed = waiting;
        waiting = null;
        missed.forEach(this::offer);
    }

    void offer(Batch batch) {
        if (closed) {
            return;
        }
        if (waiting != null) {
            waiting.add(batch);
            waitingBytes += batch.length(named);
            if (waitingBytes > MOST_UNSENT_BYTES) {
                tooSlow();
            }
            return;
        }
        Shared bytes = batch.after(after, named);
        if (bytes != null) {
            after = batch.last();
            write(bytes);
        }
    }

    void startAnew(long position) {
        if (waiting == null) {
            after = position;
            reset();
        } else {
            end();
        }
    }

    void beat(Shared withId, long id) {
        if (waiting == null) {
            write(after <= id ? withId : BARE_BEAT);
        } else if (!isFull()) {
            write(BARE_BEAT);
        }
    }

    boolean isFull() {
        return wire.isFull();
    }

    boolean isClosed() {
        return closed;
    }

    void whenThereIsRoom(Runnable next) {
        wire.whenThereIsRoom(next);
    }

    /** Ends the stream in order: the client is told when to reconnect. */
    void end() {
        if (!closed) {
            closed = true;
            wire.end("retry: " + pause(500, 4_000) + "\n\n");
        }
    }

    void gone() {
        closed = true;
    }

    private void write(Shared bytes) {
        if (closed) {
            return;
        }
        if (isFull()) {
            tooSlow();
        } else {
            wire.write(bytes);
        }
    }

    private void tooSlow() {
        closed = true;
        waiting = null;
        onSlow.run();
        wire.cut();
    }

    /** Random, so that the clients of a lost instance do not all reconnect at the same moment. */
    private static int pause(int from, int to) {
        return ThreadLocalRandom.current().nextInt(from, to);
    }
}
