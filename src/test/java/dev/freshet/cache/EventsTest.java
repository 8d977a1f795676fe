package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EventsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] CHARACTERS = {"a", "\"", "\\", "\u0001", "é", "日", "🚀", "\u2028"};

    @Test
    void a_small_publication_is_one_event() throws Exception {
        JsonNode event = events("user:*", List.of("user:1", "user:2"), List.of("users"), "me", "r1")
                .get(0);
        assertEquals(
                "{\"pattern\":\"user:*\",\"matched_keys\":[\"user:1\",\"user:2\"],"
                        + "\"triggered_by\":\"me\",\"timestamp\":\"2026-01-01T00:00:00.000Z\","
                        + "\"request_id\":\"r1\",\"id\":\"the-id\",\"tags\":[\"users\"]}",
                event.toString());
    }

    @Test
    void whatever_the_sizes_every_event_fits_and_every_key_is_in_exactly_one() throws Exception {
        Random random = new Random(20261121);
        for (int round = 0; round < 300; round++) {
            int longest = List.of(3, 40, 1024).get(random.nextInt(3));
            List<String> keys = new ArrayList<>(new HashSet<>(IntStream.range(0, random.nextInt(60))
                    .mapToObj(i -> i + text(random, longest))
                    .toList()));
            String pattern = random.nextBoolean() ? "" : text(random, 1024);
            List<JsonNode> events = events(
                    pattern,
                    keys,
                    random.nextBoolean() ? null : List.of(text(random, 256)),
                    text(random, 200),
                    text(random, 200));
            List<String> seen = new ArrayList<>();
            Set<String> ids = new HashSet<>();
            for (JsonNode event : events) {
                event.get("matched_keys").forEach(key -> seen.add(key.asText()));
                assertTrue(ids.add(event.get("id").asText()));
                assertEquals(events.get(0).get("request_id"), event.get("request_id"));
                assertTrue(event.get("pattern").asText().isEmpty()
                        || event.get("pattern").asText().equals(pattern));
            }
            assertEquals(pattern, events.get(0).get("pattern").asText());
            assertEquals(keys, seen);
        }
    }

    /** In JSON, such a character takes six bytes. */
    @Test
    void the_longest_fields_in_control_characters_fit_and_the_pattern_is_whole() throws Exception {
        String pattern = "\u0001".repeat(1024);
        String key = "\u0002".repeat(1024);
        String id = "\u0003".repeat(200);
        for (List<String> keys : List.of(List.<String>of(), List.of(key), List.of("b".repeat(6_144), "bb"))) {
            List<JsonNode> events = events(pattern, keys, null, id, id);
            assertEquals(pattern, events.get(0).get("pattern").asText());
            List<String> seen = new ArrayList<>();
            events.forEach(event -> event.get("matched_keys").forEach(each -> seen.add(each.asText())));
            assertEquals(keys, seen);
        }
    }

    /** An adopted registry may have such keys. */
    @Test
    void a_key_that_fits_into_no_event_holds_up_no_other() throws Exception {
        List<JsonNode> events = events("", List.of("b".repeat(9_000), "bb"), null, "me", "r1");
        assertEquals("[\"bb\"]", events.get(0).get("matched_keys").toString());
    }

    private static List<JsonNode> events(
            String pattern, List<String> keys, List<String> tags, String caller, String request) throws Exception {
        Publication publication = new Publication(
                1,
                "the-id",
                pattern,
                JSON.writeValueAsString(keys),
                tags == null ? null : JSON.writeValueAsString(tags),
                caller,
                request,
                "2026-01-01T00:00:00.000Z");
        List<JsonNode> events = new ArrayList<>();
        for (String payload : Events.of(publication)) {
            assertTrue(payload.getBytes(StandardCharsets.UTF_8).length < 8000, () -> payload.length() + " characters");
            events.add(JSON.readTree(payload));
        }
        return events;
    }

    private static String text(Random random, int longest) {
        String character = CHARACTERS[random.nextInt(CHARACTERS.length)];
        return character.repeat(1 + random.nextInt(longest - 2));
    }
}
