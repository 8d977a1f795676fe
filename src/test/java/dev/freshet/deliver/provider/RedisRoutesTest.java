package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RedisRoutesTest extends RouteTest {
    RedisRoutesTest() {
        super("templates/redis.camel.yaml");
    }

    @Test
    void the_bean_is_given_the_address_the_keys_and_the_channel() throws Exception {
        target(
                "redis",
                Map.of(
                        "address", "redis://10.0.0.5:6379",
                        "user", "freshet",
                        "password", "secret",
                        "key", "cache:{tag}",
                        "channel", "tags"));
        send("seda:target-cdn", call("course:7"), Map.of(), Map.of("address", "redis://10.0.0.5:6379"));
        assertEquals(
                List.of(
                        "redis.unlinkAndPublish([course:7], redis://10.0.0.5:6379, freshet, secret, cache:{tag}, tags,"
                                + " null)",
                        "direct:delivered [course:7]"),
                happened());
    }

    @Test
    void an_address_is_enough() throws Exception {
        target("redis", Map.of("address", "redis://10.0.0.5:6379"));
        send("seda:target-cdn", call("course:7"), Map.of(), Map.of("address", "redis://10.0.0.5:6379"));
        assertEquals(
                "redis.unlinkAndPublish([course:7], redis://10.0.0.5:6379, default, , {tag}, freshet, null)",
                happened().get(0));
    }
}
