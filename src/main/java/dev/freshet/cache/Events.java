package dev.freshet.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Splits a publication into events for the topic. NOTIFY carries less than 8,000 bytes, so a large publication becomes
 * several events, each valid by itself.
 */
final class Events {
    static final int MOST_BYTES = 7_900;
    /** For member names, times and ids. */
    private static final int MOST_BYTES_OF_REST = 300;
    /** The longest escape of a character in JSON. */
    private static final int MOST_BYTES_OF_CHARACTER = 6;
    /** Per character of the keys, which are JSON already. */
    private static final int MOST_BYTES_OF_WRITTEN_CHARACTER = 3;

    private static final String CALLER = "triggered_by";

    private static final Logger LOG = LoggerFactory.getLogger(Events.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private Events() {}

    static List<String> of(Publication publication) {
        try {
            ArrayNode keys = (ArrayNode) JSON.readTree(publication.keys());
            ObjectNode first = begin(publication, publication.pattern(), 0);
            if (publication.tags() == null && fitsForSure(publication)) {
                first.set("matched_keys", keys);
                return List.of(JSON.writeValueAsString(first));
            }
            List<ObjectNode> events = distribute(keys, publication, first);
            if (publication.tags() != null) {
                addTags(first, (ArrayNode) JSON.readTree(publication.tags()));
            }
            List<String> payloads = new ArrayList<>();
            for (ObjectNode each : events) {
                payloads.add(JSON.writeValueAsString(each));
            }
            return payloads;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @return the first event with as many keys as fit, and further events for the others */
    private static List<ObjectNode> distribute(ArrayNode keys, Publication publication, ObjectNode first)
            throws JsonProcessingException {
        List<ObjectNode> events = new ArrayList<>(List.of(first));
        ObjectNode event = first;
        int room = MOST_BYTES - size(event);
        int mostRoom = MOST_BYTES - size(begin(publication, "", keys.size()).put(CALLER, ""));
        for (JsonNode key : keys) {
            int needed = size(key) + 1;
            if (needed > mostRoom) {
                LOG.warn(
                        "A key of {} characters, invalidated by request {}, fits into no event and is not published",
                        key.asText().length(),
                        publication.requestId());
                continue;
            }
            if (needed > room && !isEmpty(event)) {
                event = begin(publication, publication.pattern(), events.size());
                if (size(event) + needed > MOST_BYTES) {
                    event = begin(publication, "", events.size()); // the first event states the pattern
                }
                room = MOST_BYTES - size(event);
                events.add(event);
            }
            if (needed > room) {
                event.put(CALLER, "");
                room = MOST_BYTES - size(event);
            }
            ((ArrayNode) event.get("matched_keys")).add(key);
            room -= needed;
        }
        return events;
    }

    private static boolean isEmpty(ObjectNode event) {
        return event.get("matched_keys").isEmpty()
                && event.get("pattern").asText().isEmpty();
    }

    /** Most publications are short, and measuring each member takes longer than writing it. */
    private static boolean fitsForSure(Publication publication) {
        int characters = publication.pattern().length()
                + publication.triggeredBy().length()
                + publication.requestId().length();
        return MOST_BYTES_OF_REST
                        + MOST_BYTES_OF_CHARACTER * characters
                        + MOST_BYTES_OF_WRITTEN_CHARACTER * publication.keys().length()
                < MOST_BYTES;
    }

    /** An event without keys. It goes without its caller if there is no room for that. */
    private static ObjectNode begin(Publication publication, String pattern, int number)
            throws JsonProcessingException {
        ObjectNode event = JSON.createObjectNode();
        event.put("pattern", pattern);
        event.putArray("matched_keys");
        event.put(CALLER, publication.triggeredBy());
        event.put("timestamp", publication.timestamp());
        event.put("request_id", publication.requestId());
        event.put("id", number == 0 ? publication.id() : publication.id() + "-" + number);
        if (!fitsForSure(publication) && size(event) > MOST_BYTES) {
            event.put(CALLER, "");
        }
        return event;
    }

    /** Tags are also among the keys, so they are listed here only as far as there is room. */
    private static void addTags(ObjectNode event, ArrayNode tags) throws JsonProcessingException {
        if (size(event) + size(tags) + 10 < MOST_BYTES) {
            event.set("tags", tags);
        }
    }

    private static int size(Object node) throws JsonProcessingException {
        return JSON.writeValueAsString(node).getBytes(StandardCharsets.UTF_8).length;
    }
}
