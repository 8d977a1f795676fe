package dev.freshet.live;

/**
 * What was published, as everybody reads it.
 *
 * @param payload one line of JSON
 * @param changed when its change was made, on this JVM's {@link System#nanoTime()}, reckoned from its age by the database's clock
 */
public record LiveEvent(long id, String eid, String type, String payload, long changed) {
    /** As a stream carries it. */
    String frame() {
        // payload is JSON already: what is left is putting lines together
        return "id: " + id + "\nevent: " + type + "\ndata: " + payload + "\n\n";
    }
}
