package dev.freshet.queue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tags that are held up by someone else's transaction. They are skipped for a moment, so that they delay no other tag.
 * Most such transactions last for milliseconds: the pause is short at first and grows with the time that a tag has
 * waited.
 */
final class LockedTags {
    private static final int AT_ONCE = 10;
    private static final long FORGET_NANOS = Duration.ofSeconds(10).toNanos();

    private record Wait(long since, long until) {}

    private final Map<String, Wait> waits = new ConcurrentHashMap<>();
    private final long shortest;
    private final long longest;

    LockedTags(Duration shortest, Duration longest) {
        this.shortest = shortest.toNanos();
        this.longest = longest.toNanos();
    }

    void add(String tag) {
        long now = System.nanoTime();
        Wait before = waits.get(tag);
        long since = before == null ? now : before.since();
        waits.put(tag, new Wait(since, now + Math.min(longest, Math.max(shortest, now - since))));
    }

    void remove(String tag) {
        waits.remove(tag);
    }

    /** All tags that were added and not removed. */
    List<String> tags() {
        return List.copyOf(waits.keySet());
    }

    /** Tags whose pause is not over. */
    List<String> pausing() {
        long now = System.nanoTime();
        waits.values().removeIf(wait -> now - wait.until() > FORGET_NANOS);
        return waits.entrySet().stream()
                .filter(entry -> now - entry.getValue().until() < 0)
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Up to ten tags whose pause is over. */
    List<String> toTryAgain() {
        long now = System.nanoTime();
        return waits.entrySet().stream()
                .filter(entry -> now - entry.getValue().until() >= 0)
                .map(Map.Entry::getKey)
                .limit(AT_ONCE)
                .toList();
    }

    /** The time until the first pause ends; zero if no tag is pausing. */
    Duration firstPause() {
        long now = System.nanoTime();
        return waits.values().stream()
                .map(wait -> wait.until() - now)
                .filter(left -> left > 0)
                .min(Long::compare)
                .map(Duration::ofNanos)
                .orElse(Duration.ZERO);
    }
}
