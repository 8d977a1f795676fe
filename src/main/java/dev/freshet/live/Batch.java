package dev.freshet.live;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Events of one event id, in order, serialized once for all subscribers that get the same form. Used by one event loop
 * only.
 */
final class Batch {
    /** The events as bytes, and the offset at which each begins. */
    private record Frames(Shared all, int[] starts) {
        static Frames of(List<LiveEvent> events, boolean named) {
            Buffer bytes = Buffer.buffer(events.size() * 400);
            int[] starts = new int[events.size()];
            for (int i = 0; i < starts.length; i++) {
                starts[i] = bytes.length();
                bytes.appendBytes(events.get(i).frame(named).getBytes(StandardCharsets.UTF_8));
            }
            return new Frames(new Shared(bytes), starts);
        }
    }

    private final List<LiveEvent> events;
    private Frames named;
    private Frames unnamed;

    Batch(List<LiveEvent> events) {
        this.events = events;
    }

    long last() {
        return events.get(events.size() - 1).id();
    }

    int length(boolean withNames) {
        return frames(withNames).all().length();
    }

    /** The events after this id, or null if there are none. */
    Shared after(long id, boolean withNames) {
        Frames frames = frames(withNames);
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).id() > id) {
                Buffer all = frames.all().bytes();
                return i == 0 ? frames.all() : new Shared(all.slice(frames.starts()[i], all.length()));
            }
        }
        return null;
    }

    private Frames frames(boolean withNames) {
        if (withNames) {
            named = named == null ? Frames.of(events, true) : named;
            return named;
        }
        unnamed = unnamed == null ? Frames.of(events, false) : unnamed;
        return unnamed;
    }
}
