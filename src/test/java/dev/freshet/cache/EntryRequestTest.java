package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EntryRequestTest {
    @Test
    void null_counts_as_absent() {
        Map<String, Object> body = new HashMap<>(Map.of("value", 1));
        for (String field : List.of("tags", "ttl_seconds", "expires_at")) {
            body.put(field, null);
        }
        assertEquals(new EntryRequest("key", "1", List.of(), null, null), EntryRequest.of("key", body));
    }
}
