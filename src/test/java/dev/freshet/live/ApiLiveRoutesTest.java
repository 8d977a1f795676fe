package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

class ApiLiveRoutesTest extends RouteTest {
    ApiLiveRoutesTest() {
        super("api-live.camel.yaml", "api.camel.yaml");
    }

    @Test
    void open_streams_are_counted() throws Exception {
        answer("broadcasts.stats", Map.of("streams", 3));
        assertEquals("{\"streams\":3}", text(send("GET /live/stats")));
    }

    @Test
    void a_page_of_history_is_requested_by_event_id_and_limit() throws Exception {
        answer("history.page", Map.of("events", List.of()));
        Exchange answered = send("GET /live/{eid}/history", null, Map.of("eid", "e1", "after", "41", "limit", "10"));
        assertEquals("{\"events\":[]}", text(answered));
        assertEquals(List.of("history.page(e1, 41, 10)"), happened());
    }

    @Test
    void a_manual_invalidation_is_accepted_and_audited() throws Exception {
        answer("broadcasts.invalidate", Map.of("sent", 1));
        answer("auditLog.request", "a row");
        Exchange answered = send("POST /live/{eid}/invalidate", "{\"type\":\"bids\"}", Map.of("eid", "e1"));
        assertEquals("{\"sent\":1}", text(answered));
        assertEquals(
                202, Integer.parseInt(header(answered, "CamelHttpResponseCode").toString()));
        assertEquals(
                List.of(
                        "broadcasts.invalidate(e1, {type=bids})",
                        "auditLog.request(live-invalidate, e1)",
                        "seda:audit a row"),
                happened());
    }
}
