package dev.freshet.live;

/**
 * What was published, as everybody reads it.
 *
 * @param payload one line of JSON
 * @param changed when its change was made, on this JVM's {@link System#nanoTime()}, reckoned from its age by the
 * database's clock
 */
public record LiveEvent(long id, String eid, String type, String payload, long changed) {
    /**
     * As a stream carries it. The id comes last: whoever is cut off within a frame has not taken the id of an event
     * whose data it does not have.
     *
     * @param named whether the frame says its type; without, a browser tells it to whoever listens to {@code message}
     */
    String frame(boolean named) {
        // payload is JSON already: what is left is putting lines together
        return (named ? "event: " + type + "\n" : "") + "data: " + payload + "\nid: " + id + "\n\n";
    }
}
