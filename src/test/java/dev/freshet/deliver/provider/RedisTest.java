package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class RedisTest {
    @Test
    void a_login_is_a_password_alone_or_with_a_user() {
        assertEquals(List.of("AUTH", "secret"), Redis.login("secret"));
        assertEquals(List.of("AUTH", "se:cret"), Redis.login(":se:cret"));
        assertEquals(List.of("AUTH", "freshet", "se:cret"), Redis.login("freshet:se:cret"));
    }

    @Test
    void an_address_that_cannot_be_used_is_refused_without_its_password() {
        assertEquals(
                "cache.internal",
                Redis.broker("rediss://:secret@cache.internal:6380").getHost());
        for (String address : List.of("redis://:se cret@cache", "redis://:secret@my_redis:6379", "http://:secret@c")) {
            String message = assertThrows(IllegalArgumentException.class, () -> Redis.broker(address))
                    .getMessage();
            assertFalse(message.contains("cret"), message);
            assertTrue(message.contains("redis://:PASSWORD@HOST:6379"), message);
        }
    }
}
