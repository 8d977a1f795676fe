package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AkamaiRoutesTest extends TargetRouteTest {
    AkamaiRoutesTest() {
        super("templates/akamai.camel.yaml");
    }

    @Test
    void tags_are_invalidated_together_by_a_signed_call() throws Exception {
        target(
                "akamai",
                Map.of(
                        "address", receiver.url(),
                        "client-token", "client",
                        "client-secret", "secret",
                        "access-token", "access",
                        "action", "delete",
                        "network", "staging"));
        deliver("target-cdn", "course-7", "course 8");
        assertEquals(
                List.of("POST /ccu/v3/delete/tag/staging\n{\"objects\":[\"course-7\",\"course~208\"] }"), calls());
        assertEquals(Set.of("authorization", "content-type"), headers().keySet());
        assertEquals("application/json", headers().get("content-type"));
        String signature = headers().get("authorization");
        assertTrue(signature.startsWith("EG1-HMAC-SHA256 client_token=client;access_token=access;"), signature);
        assertTrue(signature.contains(";signature="), signature);
        assertEquals(List.of("direct:delivered {}"), happened());
    }
}
