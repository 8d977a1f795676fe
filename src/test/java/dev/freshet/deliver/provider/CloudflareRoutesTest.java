package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;

class CloudflareRoutesTest extends TargetRouteTest {
    CloudflareRoutesTest() {
        super("templates/cloudflare.camel.yaml");
    }

    @Test
    void tags_are_purged_together_from_the_zone() throws Exception {
        receiver.everybody(Receiver.json(200, "{\"success\":true}"));
        target("cloudflare", Map.of("address", receiver.url(), "zone", "z1", "token", "t1"));
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(List.of("POST /client/v4/zones/z1/purge_cache\n{\"tags\":[\"course:7\",\"course:8\"] }"), calls());
        assertEquals(Map.of("authorization", "Bearer t1", "content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered {\"success\":true}"), happened());
    }

    @Test
    void an_answer_that_does_not_state_success_is_a_failure() throws Exception {
        receiver.everybody(Receiver.json(200, "{\"success\":false}"));
        target("cloudflare", Map.of("address", receiver.url(), "zone", "z1", "token", "t1"));
        assertThrows(HttpOperationFailedException.class, () -> deliver("seda:target-cdn", "course:7"));
        assertEquals(List.of(), happened());
    }
}
