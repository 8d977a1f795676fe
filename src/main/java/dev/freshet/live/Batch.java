package dev.freshet.live;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Events of one event id, in order, written once for all who get them. */
final class Batch {
    final List<LiveEvent> events;
    private final Buffer bytes;
    private final int[] starts;

    Batch(List<LiveEvent> events) {
        this.events = events;
        this.starts = new int[events.size()];
        this.bytes = Buffer.buffer(events.size() * 400);
        for (int i = 0; i < starts.length; i++) {
            starts[i] = bytes.length();
            bytes.appendBytes(events.get(i).frame().getBytes(StandardCharsets.UTF_8));
        }
    }

    long last() {
        return events.get(events.size() - 1).id();
    }

    int length() {
        return bytes.length();
    }

    /** Those after this id; null if there are none. */
    Buffer after(long id) {
        for (int i = 0; i < starts.length; i++) {
            if (events.get(i).id() > id) {
                return i == 0 ? bytes : bytes.slice(starts[i], bytes.length());
            }
        }
        return null;
    }
}
