package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BunnyRoutesTest extends TargetRouteTest {
    BunnyRoutesTest() {
        super("templates/bunny.camel.yaml");
    }

    @Test
    void a_tag_is_purged_from_the_zone() throws Exception {
        target("bunny", Map.of("address", receiver.url(), "zone", "4711", "key", "account-key"));
        deliver("seda:target-cdn", "course:7");
        assertEquals(List.of("POST /pullzone/4711/purgeCache\n{\"CacheTag\":\"course:7\" }"), calls());
        assertEquals(Map.of("accesskey", "account-key", "content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }
}
