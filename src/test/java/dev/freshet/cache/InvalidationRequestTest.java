package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.api.Refused;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InvalidationRequestTest {
    @Test
    void a_request_without_an_id_gets_one_in_the_old_services_form() {
        long before = System.currentTimeMillis();
        String id = InvalidationRequest.requestId(Map.of());
        assertTrue(id.matches("inv-[0-9]{13}-[0-9]{1,16}"), id);
        long when = Long.parseLong(id.split("-")[1]);
        assertTrue(before <= when && when <= System.currentTimeMillis(), id);
    }

    @Test
    void ids_generated_at_the_same_time_differ() {
        Set<String> ids = IntStream.range(0, 10_000)
                .parallel()
                .mapToObj(i -> InvalidationRequest.requestId(Map.of()))
                .collect(Collectors.toSet());
        assertEquals(10_000, ids.size());
    }

    @Test
    void null_counts_as_absent() {
        Map<String, Object> body = new HashMap<>(Map.of("pattern", "a*"));
        for (String field : List.of("cache_keys", "triggered_by", "request_id")) {
            body.put(field, null);
        }
        InvalidationRequest request = InvalidationRequest.ofPattern(body);
        assertEquals("null api", request.keys() + " " + request.triggeredBy());
    }

    @Test
    void a_given_id_is_kept() {
        assertEquals("mine", InvalidationRequest.requestId(Map.of("request_id", "mine")));
    }

    /** Otherwise the event of such a request could never be published. */
    @ParameterizedTest
    @ValueSource(ints = {0, 6_145, 9_000})
    void a_key_to_match_is_neither_empty_nor_longer_than_an_event(int length) {
        Map<String, Object> body = Map.of("pattern", "b*", "cache_keys", List.of("bb", "b".repeat(length)));
        Refused refused = assertThrows(Refused.class, () -> InvalidationRequest.ofPattern(body));
        assertTrue(refused.getMessage().startsWith("cache_keys: a key has 1 to 1024 characters"), refused::getMessage);
    }

    @Test
    void every_key_of_1024_characters_may_be_matched_and_a_longer_one_that_fits_into_an_event() {
        List<String> keys = List.of("\u0001".repeat(1_024), "\ud83d\ude80".repeat(1_024), "b".repeat(5_000));
        assertEquals(
                keys,
                InvalidationRequest.ofPattern(Map.of("pattern", "b*", "cache_keys", keys))
                        .keys());
    }
}
