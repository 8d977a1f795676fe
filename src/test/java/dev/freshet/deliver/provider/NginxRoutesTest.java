package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;

class NginxRoutesTest extends TargetRouteTest {
    NginxRoutesTest() {
        super("templates/nginx.camel.yaml");
    }

    @Test
    void the_page_whose_path_is_the_tag_is_purged() throws Exception {
        target("nginx", Map.of("address", receiver.url(), "prefix", "/clear", "method", "PURGE"));
        deliver("seda:target-cdn", "/courses/7");
        assertEquals(List.of("PURGE /clear/courses/7\n"), calls());
        assertEquals(Map.of(), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void a_page_that_was_not_in_the_cache_counts_as_purged() throws Exception {
        target("nginx", Map.of("address", receiver.url()));
        for (int status : List.of(404, 412)) {
            receiver.everybody(Receiver.status(status));
            deliver("seda:target-cdn", "/courses/7");
            assertEquals(List.of("direct:delivered {}"), happened());
        }
        assertEquals(List.of("GET /purge/courses/7\n", "GET /purge/courses/7\n"), calls());
        receiver.everybody(Receiver.status(403));
        assertThrows(HttpOperationFailedException.class, () -> deliver("seda:target-cdn", "/courses/7"));
        assertEquals(List.of(), happened());
    }
}
