package dev.freshet.queue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Tags whose queue row a foreign transaction holds: left in the inbox, and tried again by themselves, so that they delay no other tag. */
final class LockedTags {
    private static final int AT_ONCE = 10;

    private final Map<String, Long> nextTry = new ConcurrentHashMap<>();
    private final long pauseNanos;

    LockedTags(Duration pause) {
        this.pauseNanos = pause.toNanos();
    }

    void add(String tag) {
        nextTry.put(tag, System.nanoTime() + pauseNanos);
    }

    void remove(String tag) {
        nextTry.remove(tag);
    }

    List<String> tags() {
        return List.copyOf(nextTry.keySet());
    }

    /** A few whose pause is over. */
    List<String> toTryAgain() {
        long now = System.nanoTime();
        return nextTry.entrySet().stream().filter(entry -> now - entry.getValue() > 0).map(Map.Entry::getKey).limit(AT_ONCE).toList();
    }
}
