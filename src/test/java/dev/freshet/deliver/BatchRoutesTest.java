package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;

class BatchRoutesTest extends TargetRouteTest {
    BatchRoutesTest() {
        super("targets/batch.camel.yaml");
        set("freshet.deliver.batch-target-url", receiver.url() + "/stale");
    }

    @Test
    void tags_are_posted_together_and_the_answer_is_read() throws Exception {
        receiver.everybody(Receiver.json(207, "{\"failed_tags\":[\"course:8\"]}"));
        deliver("seda:target-batch", "course:7", "course:8");
        assertEquals(
                List.of("POST /stale\n{\"tags\":[\"course:7\",\"course:8\"],\"source\":\"queue\",\"requestId\":\""
                        + call("course:7", "course:8").getId() + "\"}"),
                calls());
        assertEquals(Map.of("authorization", "Bearer batch-key", "content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered-in-part {\"failed_tags\":[\"course:8\"]}"), happened());
    }

    @Test
    void a_job_posts_its_own_body() throws Exception {
        send("direct:post-batch", null, Map.of(), Map.of("batch", Map.of("tags", List.of("all_time_stats"))));
        assertEquals(List.of("POST /stale\n{\"tags\":[\"all_time_stats\"]}"), calls());
        assertEquals(List.of(), happened());
    }

    @Test
    void a_failed_post_of_a_batch_is_thrown_to_its_caller() {
        receiver.everybody(Receiver.status(500));
        assertThrows(HttpOperationFailedException.class, () -> deliver("seda:target-batch", "course:7"));
        assertEquals(List.of(), happened());
    }

    @Test
    void the_batch_target_does_not_take_the_queue_if_there_is_a_tag_target() {
        Target target = context.getRegistry().lookupByNameAndType("target-batch", Target.class);
        assertEquals("batch", target.getName());
        assertFalse(target.isTakesQueue());
        assertEquals("true", autoStartup("target-batch"));
    }
}
