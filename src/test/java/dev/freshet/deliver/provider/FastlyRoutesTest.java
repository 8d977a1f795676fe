package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FastlyRoutesTest extends TargetRouteTest {
    FastlyRoutesTest() {
        super("templates/fastly.camel.yaml");
    }

    @Test
    void keys_are_purged_together_from_the_service() throws Exception {
        target("fastly", Map.of("address", receiver.url(), "service", "s1", "token", "t1"));
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(List.of("POST /service/s1/purge\n{\"surrogate_keys\":[\"course:7\",\"course:8\"] }"), calls());
        assertEquals(Map.of("content-type", "application/json", "fastly-key", "t1"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void a_soft_purge_says_so() throws Exception {
        target("fastly", Map.of("address", receiver.url(), "service", "s1", "token", "t1", "soft", "true"));
        deliver("seda:target-cdn", "course:7");
        assertEquals("1", headers().get("fastly-soft-purge"));
    }
}
