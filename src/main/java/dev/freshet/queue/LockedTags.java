package dev.freshet.queue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Tags that somebody else's transaction holds up: left where they are for a moment, so that they delay no other tag. */
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

    /** All whose pause is not over; the others are forgotten. */
    List<String> stillWaiting() {
        long now = System.nanoTime();
        nextTry.values().removeIf(at -> now - at > 0);
        return tags();
    }

    /** A few whose pause is over. */
    List<String> toTryAgain() {
        long now = System.nanoTime();
        return nextTry.entrySet().stream().filter(entry -> now - entry.getValue() > 0).map(Map.Entry::getKey).limit(AT_ONCE).toList();
    }
}
