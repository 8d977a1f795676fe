package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

class ApiCacheRoutesTest extends RouteTest {
    private static final Map<String, Object> KEY = Map.of("cacheKey", "page:7");

    ApiCacheRoutesTest() {
        super("api-cache.camel.yaml", "api.camel.yaml");
    }

    @Test
    void an_entry_is_answered_as_json() throws Exception {
        answer("entries.get", Map.of("value", 1));
        assertEquals("{\"value\":1}", text(send("GET /api/cache/entries/{cacheKey}", null, KEY)));
        assertEquals(List.of("entries.get(page:7)"), happened());
    }

    @Test
    void a_new_entry_is_written_and_answered_without_a_body() throws Exception {
        Exchange answered = send("PUT /api/cache/entries/{cacheKey}", "{\"value\":1}", KEY);
        assertEquals(List.of("entries.put(page:7, {value=1})"), happened());
        assertNull(text(answered));
        assertEquals("204", header(answered, "CamelHttpResponseCode"));
    }

    @Test
    void the_deletion_of_an_entry_is_published() throws Exception {
        Exchange answered = send("DELETE /api/cache/entries/{cacheKey}", "what the request said", KEY);
        assertEquals(List.of("entries.delete(page:7)", "wake seda:relay-publications"), happened());
        assertEquals("204", header(answered, "CamelHttpResponseCode"));
    }

    @Test
    void an_invalidation_by_rules_is_answered_and_published() throws Exception {
        answer("entityRules.clear", Map.of("success", true));
        answer("entityRules.invalidate", Map.of("entries", 2));
        send("POST /api/admin/cache/clear", "{\"type\":\"course\"}");
        send("POST /api/cache/invalidate", "{\"tags\":[\"course:7\"]}");
        assertEquals(
                List.of(
                        "entityRules.clear({type=course})",
                        "direct:answer-and-publish {\"success\":true}",
                        "entityRules.invalidate({tags=[course:7]})",
                        "direct:answer-and-publish {\"entries\":2}"),
                happened());
    }

    @Test
    void entries_are_counted() throws Exception {
        answer("entries.stats", Map.of("entries", 3));
        assertEquals("{\"entries\":3}", text(send("GET /api/admin/cache/stats")));
    }
}
