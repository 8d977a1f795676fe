package dev.freshet.live;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;

/** One open stream. Everything here happens on its connection's event loop, so nothing needs a lock. */
final class Subscriber {
    /** So much may be unsent; a reader that lags further behind is disconnected and comes back with its last id. */
    static final int MOST_UNSENT_BYTES = 1 << 20;

    final String eid;
    final EventLoop loop;
    /** Whether frames say their type. */
    private final boolean named;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Runnable onSlow;
    /** Up to here it has everything. */
    private long after;
    private boolean closed;
    /** What is published while the past is still being replayed; null: it has caught up. */
    private Queue<Batch> waiting;
    private int waitingBytes;

    Subscriber(String eid, EventLoop loop, boolean named, HttpServerRequest request, Runnable onSlow) {
        this.eid = eid;
        this.loop = loop;
        this.named = named;
        this.request = request;
        this.response = request.response();
        this.onSlow = onSlow;
        response.setWriteQueueMaxSize(MOST_UNSENT_BYTES);
    }

    /** From now on, with an id to go on from should it end before the first event. */
    void startsAt(long position) {
        after = position;
        begin("id: " + position + "\n");
    }

    /**
     * With the past first.
     *
     * @param cursor where the client says it is: no later id before it has all of the past; null: nobody knows that id
     */
    void catchesUpTo(long position, Long cursor) {
        after = position;
        waiting = new ArrayDeque<>();
        begin(cursor == null || named ? "" : "id: " + cursor + "\n");
    }

    /** Who asked for messages knows of the hello, which a page can see and by which it knows where it stands. */
    private void begin(String id) {
        String hello = named ? "" : "event: hello\ndata: {\"type\":\"hello\",\"event_eid\":\"" + eid + "\"}\n";
        write(Buffer.buffer("retry: " + pause(1_000, 3_000) + "\n" + hello + id + "\n"));
    }

    long catchesUpTo() {
        return after;
    }

    void past(Batch batch) {
        write(batch.after(0, named));
    }

    /** What was missed cannot be told any more, or nobody knows the id. */
    void reset() {
        write(Buffer.buffer(resetFrame(after)));
    }

    private String resetFrame(long id) {
        return "event: reset\ndata: {\"type\":\"reset\",\"event_eid\":\"" + eid + "\"}\nid: " + id + "\n\n";
    }

    /** @param cursor where the client was; it may be ahead of this instance */
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
        Buffer bytes = batch.after(after, named);
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

    void beat(Buffer withId, long id) {
        if (waiting == null) {
            write(after <= id ? withId : Buffer.buffer(":\n\n"));
        } else if (!isFull()) {
            write(Buffer.buffer(":\n\n"));
        }
    }

    boolean isFull() {
        return response.writeQueueFull();
    }

    boolean isClosed() {
        return closed;
    }

    void whenThereIsRoom(Runnable next) {
        response.drainHandler(drained -> {
            response.drainHandler(null);
            next.run();
        });
    }

    /** Orderly: the client is told when to come back. */
    void end() {
        if (!closed) {
            closed = true;
            response.end("retry: " + pause(500, 4_000) + "\n\n");
        }
    }

    void gone() {
        closed = true;
    }

    private void write(Buffer bytes) {
        if (closed) {
            return;
        }
        if (response.writeQueueFull()) {
            tooSlow();
        } else {
            response.write(bytes);
        }
    }

    private void tooSlow() {
        closed = true;
        waiting = null;
        onSlow.run();
        // past Vert.x's handlers, whose close would wait until what is unsent has been sent
        Channel channel = ((ConnectionBase) request.connection()).channelHandlerContext().channel();
        channel.unsafe().close(channel.newPromise());
    }

    /** All who lost the same instance must not come back at the same moment. */
    private static int pause(int from, int to) {
        return ThreadLocalRandom.current().nextInt(from, to);
    }
}
