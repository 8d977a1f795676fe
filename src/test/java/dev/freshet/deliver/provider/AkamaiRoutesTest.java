package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.TargetRouteTest;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class AkamaiRoutesTest extends TargetRouteTest {
    AkamaiRoutesTest() {
        super("templates/akamai.camel.yaml");
    }

    @Test
    void tags_are_invalidated_together_by_a_signed_call() throws Exception {
        start(Map.of());
        deliver("seda:target-cdn", "course-7", "course 8");
        assertEquals(
                List.of("POST /ccu/v3/invalidate/tag/production\n{\"objects\":[\"course-7\",\"course~208\"] }"),
                calls());
        assertEquals(Set.of("authorization", "content-type"), headers().keySet());
        assertEquals("application/json", headers().get("content-type"));
        String signature = headers().get("authorization");
        Matcher said = Pattern.compile("timestamp=(.+);nonce=(.+);").matcher(signature);
        assertTrue(said.find(), signature);
        assertEquals(
                EdgeGrid.authorization(
                        new EdgeGrid.Client("client", "secret", "access"),
                        URI.create(receiver.url() + "/ccu/v3/invalidate/tag/production"),
                        receiver.calls().get(0).body(),
                        said.group(1),
                        said.group(2)),
                signature);
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void tags_may_be_deleted_from_the_other_network() throws Exception {
        start(Map.of("action", "delete", "network", "staging"));
        deliver("seda:target-cdn", "course-7");
        assertEquals(List.of("POST /ccu/v3/delete/tag/staging\n{\"objects\":[\"course-7\"] }"), calls());
    }

    private void start(Map<String, String> parameters) throws Exception {
        Map<String, String> all = new TreeMap<>(parameters);
        all.putAll(Map.of(
                "address", receiver.url(),
                "client-token", "client",
                "client-secret", "secret",
                "access-token", "access"));
        target("akamai", all);
    }
}
