package dev.freshet.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A publication as the topic takes it: NOTIFY carries less than 8,000 bytes, so that a large one becomes several, each
 * valid by itself.
 */
final class Events {
    static final int MOST_BYTES = 7_900;
    /** Names of members, times and ids. */
    private static final int MOST_BYTES_OF_REST = 300;
    /** As JSON. */
    private static final int MOST_BYTES_OF_CHARACTER = 6;
    /** The keys are JSON already. */
    private static final int MOST_BYTES_OF_WRITTEN_CHARACTER = 3;

    private static final ObjectMapper JSON = new ObjectMapper();

    private Events() {}

    /** @param row of freshet.publication */
    static List<String> of(Map<String, Object> row) {
        try {
            ArrayNode keys = (ArrayNode) JSON.readTree((String) row.get("keys"));
            List<ObjectNode> events = new ArrayList<>();
            String pattern = (String) row.get("pattern");
            ObjectNode event = begin(row, pattern, events.size());
            if (row.get("tags") == null && fitsForSure(row)) {
                event.set("matched_keys", keys);
                return List.of(JSON.writeValueAsString(event));
            }
            ArrayNode tags = row.get("tags") == null ? null : (ArrayNode) JSON.readTree((String) row.get("tags"));
            int room = MOST_BYTES - size(event);
            events.add(event);
            for (var key : keys) {
                int needed = size(key) + 1;
                if (needed > room
                        && !(event.get("matched_keys").isEmpty()
                                && event.get("pattern").asText().isEmpty())) {
                    event = begin(row, pattern, events.size());
                    if (size(event) + needed > MOST_BYTES) {
                        event = begin(row, "", events.size()); // the first one has said the pattern
                    }
                    room = MOST_BYTES - size(event);
                    events.add(event);
                }
                if (needed > room) {
                    event.put("triggered_by", "");
                    room = MOST_BYTES - size(event);
                }
                ((ArrayNode) event.get("matched_keys")).add(key);
                room -= needed;
            }
            addTags(events.get(0), tags);
            List<String> payloads = new ArrayList<>();
            for (ObjectNode each : events) {
                payloads.add(JSON.writeValueAsString(each));
            }
            return payloads;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Most are short: measuring them member by member takes longer than writing them. */
    private static boolean fitsForSure(Map<String, Object> row) {
        int characters = Stream.of("pattern", "triggered_by", "request_id")
                .mapToInt(name -> ((String) row.get(name)).length())
                .sum();
        return MOST_BYTES_OF_REST
                        + MOST_BYTES_OF_CHARACTER * characters
                        + MOST_BYTES_OF_WRITTEN_CHARACTER * ((String) row.get("keys")).length()
                < MOST_BYTES;
    }

    private static ObjectNode begin(Map<String, Object> row, String pattern, int number) {
        ObjectNode event = JSON.createObjectNode();
        event.put("pattern", pattern);
        event.putArray("matched_keys");
        event.put("triggered_by", (String) row.get("triggered_by"));
        event.put("timestamp", (String) row.get("timestamp"));
        event.put("request_id", (String) row.get("request_id"));
        event.put("id", number == 0 ? (String) row.get("id") : row.get("id") + "-" + number);
        return event;
    }

    /** Tags are among the keys as well: they are named here only as far as there is room. */
    private static void addTags(ObjectNode event, ArrayNode tags) throws JsonProcessingException {
        if (tags != null && size(event) + size(tags) + 10 < MOST_BYTES) {
            event.set("tags", tags);
        }
    }

    private static int size(Object node) throws JsonProcessingException {
        return JSON.writeValueAsString(node).getBytes(StandardCharsets.UTF_8).length;
    }
}
