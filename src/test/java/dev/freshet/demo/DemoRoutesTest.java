package dev.freshet.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoRoutesTest extends RouteTest {
    DemoRoutesTest() {
        super("demo.camel.yaml", "api.camel.yaml");
    }

    @Test
    void calls_to_the_demos_receiver_are_read_and_answered() throws Exception {
        answer("demoReceiver.revalidate", Map.of("revalidated", true));
        answer("demoReceiver.invalidate", Map.of("invalidated", 1));
        Map<String, Object> headers = Map.of("x-revalidation-secret", "secret", "webhook-id", "msg_1");
        assertEquals(
                "{\"revalidated\":true}", text(send("POST /demo/api/revalidate", "{\"tag\":\"course:7\"}", headers)));
        assertEquals(
                "{\"invalidated\":1}",
                text(send("POST /demo/api/internal/cache/invalidate", "{\"tags\":[\"course:7\"]}")));
        assertEquals(
                List.of(
                        "demoReceiver.revalidate({tag=course:7}, secret, msg_1)",
                        "demoReceiver.invalidate({tags=[course:7]})"),
                happened());
    }

    @ParameterizedTest
    @CsvSource({
        "GET /demo/api/calls, demoReceiver.calls, ''",
        "GET /demo/data/live/event/{eid}, demoTables.event, e1",
        "GET /demo/data/live/event/{eid}/media, demoTables.media, e1",
        "GET /demo/data/live/event/{place}/bids, demoTables.bids, p1",
        "GET /demo/data/pages, demoPages.all, ''"
    })
    void requests_of_the_page_are_answered_as_json(String request, String asked, String argument) throws Exception {
        answer(asked, Map.of("see", 1));
        assertEquals("{\"see\":1}", text(send(request, null, Map.of("eid", "e1", "place", "p1"))));
        assertEquals(List.of(asked + '(' + argument + ')'), happened());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo-revalidate",
                "demo-invalidate",
                "demo-calls",
                "demo-see-event",
                "demo-see-media",
                "demo-see-bids",
                "demo-see-pages",
                "demo-act"
            })
    void no_route_of_the_demo_starts_without_the_demo(String route) {
        assertEquals("false", autoStartup(route));
    }

    @Test
    void an_action_changes_the_demos_tables() throws Exception {
        answer("demoTables.act", Map.of("done", true));
        assertEquals(
                "{\"done\":true}", text(send("POST /demo/actions/{action}", "{\"bid\":5}", Map.of("action", "bid"))));
        assertEquals(List.of("demoTables.act(bid, {bid=5})"), happened());
    }

    @Test
    void a_match_queues_a_job_for_its_statistics() throws Exception {
        answer("demoTables.act", Map.of("match", "m1"));
        answer("demoTables.jobAfterMatch", Map.of("source", "match"));
        answer("jobRequests.enqueue", Map.of("jobId", "j1"));
        send("POST /demo/actions/{action}", "{}", Map.of("action", "match"));
        assertEquals(
                List.of(
                        "demoTables.act(match, {})",
                        "demoTables.jobAfterMatch({match=m1})",
                        "jobRequests.enqueue({source=match})",
                        "direct:answer-and-wake-jobs {jobId=j1}"),
                happened());
    }
}
