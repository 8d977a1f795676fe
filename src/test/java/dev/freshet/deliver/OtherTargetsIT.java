package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Without a configured tag target. */
class OtherTargetsIT {
    @Test
    void without_any_target_tags_are_settled_as_having_none() throws Exception {
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=")) {
            scene.start();
            scene.change("nobody-wants-it");
            scene.awaitProcessed("nobody-wants-it");
            assertEquals(
                    List.of("no target"),
                    scene.database.list(
                            "SELECT outcome FROM public.invalidation_audit WHERE keys = '[\"nobody-wants-it\"]'"));
        }
    }

    @Test
    void the_batch_target_alone_takes_the_queues_tags_in_its_own_form() throws Exception {
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "INTERNAL_API_KEY=the-key")) {
            scene.set("NEXT_PUBLIC_APP_URL=" + scene.receiver.url());
            scene.start();
            scene.change("x", "y", "z");
            scene.awaitProcessed("x", "y", "z");
            scene.letEverythingPass();
            List<Receiver.Call> calls = scene.receiver.calls().stream()
                    .filter(call -> !call.body().contains("sentinel-"))
                    .toList();
            assertEquals(1, calls.size());
            Receiver.Call call = calls.get(0);
            assertEquals("POST /api/internal/cache/invalidate HTTP/1.1", call.request());
            assertEquals("Bearer the-key", call.header("authorization"));
            assertEquals("queue", call.json().get("source").asText());
            assertTrue(!call.json().get("requestId").asText().isEmpty());
            assertTrue(call.tags().containsAll(List.of("x", "y", "z")));
        }
    }
}
