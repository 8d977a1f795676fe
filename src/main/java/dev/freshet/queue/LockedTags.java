package dev.freshet.queue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Tags whose queue row a foreign transaction holds; left in the inbox for a while, so that they delay no other tag. */
final class LockedTags {
    private final Map<String, Long> until = new ConcurrentHashMap<>();
    private final long pauseNanos;

    LockedTags(Duration pause) {
        this.pauseNanos = pause.toNanos();
    }

    void add(String tag) {
        until.put(tag, System.nanoTime() + pauseNanos);
    }

    List<String> tags() {
        until.values().removeIf(end -> System.nanoTime() - end > 0);
        return List.copyOf(until.keySet());
    }
}
