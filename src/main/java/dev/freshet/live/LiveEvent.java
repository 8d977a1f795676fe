package dev.freshet.live;

/**
 * A published event, as all readers get it.
 *
 * @param payload one line of JSON
 * @param changed when the change was made, on this JVM's {@link System#nanoTime()}, computed from its age by the
 *     database's clock
 */
public record LiveEvent(long id, String eid, String type, String payload, long changed) {
    /**
     * The event as a frame of a stream. The id comes last, so that a client whose connection breaks within a frame has
     * not stored the id of an event that it did not fully receive.
     *
     * @param named whether the frame states its type; if not, a browser delivers it to listeners of {@code message}
     */
    String frame(boolean named) {
        // payload is JSON already, so joining lines is enough
        return (named ? "event: " + type + "\n" : "") + "data: " + payload + "\nid: " + id + "\n\n";
    }
}
