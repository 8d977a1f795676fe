package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

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
    void a_given_id_is_kept() {
        assertEquals("mine", InvalidationRequest.requestId(Map.of("request_id", "mine")));
    }
}
