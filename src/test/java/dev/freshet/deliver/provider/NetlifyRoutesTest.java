package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NetlifyRoutesTest extends TargetRouteTest {
    NetlifyRoutesTest() {
        super("templates/netlify.camel.yaml");
    }

    @Test
    void tags_are_purged_together_from_the_site() throws Exception {
        target("netlify", Map.of("address", receiver.url(), "site", "s1", "token", "t1"));
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(
                List.of("POST /api/v1/purge\n{\"site_id\":\"s1\",\"cache_tags\":[\"course:7\",\"course:8\"] }"),
                calls());
        assertEquals(Map.of("authorization", "Bearer t1", "content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }
}
