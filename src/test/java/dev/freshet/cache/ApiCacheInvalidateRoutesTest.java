package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

class ApiCacheInvalidateRoutesTest extends RouteTest {
    ApiCacheInvalidateRoutesTest() {
        super("api-cache-invalidate.camel.yaml", "api.camel.yaml");
    }

    @Test
    void keys_and_patterns_are_invalidated_and_the_relay_is_woken_before_the_answer() throws Exception {
        Exchange answered = send("POST /invalidate/key", "{\"keys\":[\"page:7\"]}");
        assertEquals("application/json", header(answered, "Content-Type"));
        send("POST /invalidate/pattern", "{\"pattern\":\"page:*\"}");
        assertEquals(
                List.of(
                        "invalidateKeys {\"keys\":[\"page:7\"]}",
                        "wake seda:relay-publications {\"keys\":[\"page:7\"]}",
                        "invalidatePattern {\"pattern\":\"page:*\"}",
                        "wake seda:relay-publications {\"pattern\":\"page:*\"}"),
                happened());
    }

    @Test
    void statistics_are_answered_as_json() throws Exception {
        answer("tallies.metrics", Map.of("invalidated", 7));
        assertEquals("{\"invalidated\":7}", text(send("GET /invalidate/metrics")));
    }
}
