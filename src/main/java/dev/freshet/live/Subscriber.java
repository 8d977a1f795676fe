package dev.freshet.live;

import io.netty.channel.EventLoop;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;

/** One open stream. Everything here happens on its connection's event loop, so nothing needs a lock. */
final class Subscriber {
    /** So much may be unsent; a reader that lags further behind is disconnected and comes back with its last id. */
    static final int MOST_UNSENT_BYTES = 1 << 20;

    private static final Shared BARE_BEAT = Shared.of(":\n\n");

    final String eid;
    final EventLoop loop;
    /** Whether frames say their type. */
    private final boolean named;

    private final Wire wire;
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
        this.wire = new Wire(request, MOST_UNSENT_BYTES);
        this.onSlow = onSlow;
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
        write(Shared.of("retry: " + pause(1_000, 3_000) + "\n" + hello + id + "\n"));
    }

    long catchesUpTo() {
        return after;
    }

    void past(Batch batch) {
        write(batch.after(0, named));
    }

    /** What was missed cannot be told any more, or nobody knows the id. */
    void reset() {
        write(Shared.of(resetFrame(after)));
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

    /** Orderly: the client is told when to come back. */
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

    /** All who lost the same instance must not come back at the same moment. */
    private static int pause(int from, int to) {
        return ThreadLocalRandom.current().nextInt(from, to);
    }
}
