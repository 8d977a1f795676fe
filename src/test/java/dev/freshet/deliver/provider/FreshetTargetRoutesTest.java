package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FreshetTargetRoutesTest extends TargetRouteTest {
    FreshetTargetRoutesTest() {
        super("templates/freshet-target.camel.yaml");
    }

    @Test
    void an_address_is_enough() throws Exception {
        target("freshet-target", Map.of("address", receiver.url()));
        deliver("seda:target-cdn", "course:7");
        assertEquals(List.of("POST /\n{\"tag\":\"course:7\"}"), calls());
        assertEquals(Map.of("content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered-in-part {}"), happened());
    }

    @Test
    void method_path_headers_and_body_are_sent_as_given() throws Exception {
        target(
                "freshet-target",
                Map.of(
                        "address", receiver.url(),
                        "method", "PUT",
                        "path", "/purge/{tag}",
                        "headers", "X-Key: secret",
                        "body", "{\"stale\":{tags} }"));
        deliver("seda:target-cdn", "course:7");
        assertEquals(List.of("PUT /purge/course:7\n{\"stale\":[\"course:7\"] }"), calls());
        assertEquals(Map.of("content-type", "application/json", "x-key", "secret"), headers());
    }
}
