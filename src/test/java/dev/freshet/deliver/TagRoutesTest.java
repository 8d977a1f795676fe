package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.TargetRouteTest;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;

class TagRoutesTest extends TargetRouteTest {
    TagRoutesTest() {
        super("targets/tag.camel.yaml");
    }

    @Test
    void a_tag_is_posted_with_the_secret_and_a_signature() throws Exception {
        deliver("seda:target-tag", "course:7");
        assertEquals(List.of("POST /api/revalidate\n{\"tag\":\"course:7\"}"), calls());
        assertEquals(
                Set.of("content-type", "webhook-id", "webhook-signature", "webhook-timestamp", "x-revalidation-secret"),
                headers().keySet());
        assertEquals("application/json", headers().get("content-type"));
        assertEquals("tag-secret", headers().get("x-revalidation-secret"));
        assertEquals(call("course:7").getId(), headers().get("webhook-id"));
        assertEquals(
                "v1,"
                        + new Signature("tag-secret", Clock.systemUTC())
                                .of(
                                        call("course:7").getId(),
                                        headers().get("webhook-timestamp"),
                                        "{\"tag\":\"course:7\"}"),
                headers().get("webhook-signature"));
        assertEquals(List.of("demoKey {\"tag\":\"course:7\"}", "direct:delivered"), happened());
    }

    @Test
    void the_secret_goes_no_further() throws Exception {
        assertNull(header(deliver("seda:target-tag", "course:7"), "x-revalidation-secret"));
    }

    @Test
    void several_tags_are_posted_together() throws Exception {
        deliver("seda:target-tag", "course:7", "course:8");
        assertEquals(List.of("POST /api/revalidate\n{\"tags\":[\"course:7\",\"course:8\"]}"), calls());
    }

    @Test
    void anything_but_2xx_is_a_failure() {
        receiver.everybody(Receiver.status(302));
        assertThrows(HttpOperationFailedException.class, () -> deliver("seda:target-tag", "course:7"));
        assertEquals(List.of("demoKey {\"tag\":\"course:7\"}"), happened());
    }

    @Test
    void the_bean_declares_what_the_target_takes() {
        Target target = context.getRegistry().lookupByNameAndType("target-tag", Target.class);
        assertEquals("tag", target.getName());
        assertEquals("http://app.test", target.addresses().get(0).url());
        assertEquals(16, target.getConcurrency());
        assertTrue(target.isTakesQueue());
        assertEquals("true", autoStartup("target-tag"));
    }
}
