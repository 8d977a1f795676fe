package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ApiConsoleRoutesTest extends RouteTest {
    ApiConsoleRoutesTest() {
        super("api-console.camel.yaml", "api.camel.yaml");
    }

    @Test
    void the_overview_is_answered_as_json() throws Exception {
        answer("overview.whole", Map.of("fresh", true));
        assertEquals("{\"fresh\":true}", text(send("GET /api/console/overview")));
    }

    @Test
    void a_dry_run_uses_the_tag_and_pattern_of_the_request() throws Exception {
        answer("dryRun.of", Map.of("hits", 0));
        Map<String, Object> query = Map.of("tag", "course:7", "pattern", "course:*");
        assertEquals("{\"hits\":0}", text(send("GET /api/console/dry-run", null, query)));
        assertEquals(List.of("dryRun.of(course:7, course:*)"), happened());
    }

    @Test
    void routes_are_listed_started_and_stopped() throws Exception {
        Map<String, Object> id = Map.of("id", "poll-queue");
        answer("routeControl.list", Map.of("routes", 1));
        answer("routeControl.start", Map.of("state", "started"));
        answer("routeControl.stop", Map.of("state", "stopped"));
        assertEquals("{\"routes\":1}", text(send("GET /api/routes")));
        assertEquals("{\"state\":\"started\"}", text(send("POST /api/routes/{id}/start", null, id)));
        assertEquals("{\"state\":\"stopped\"}", text(send("POST /api/routes/{id}/stop", null, id)));
        assertEquals(
                List.of("routeControl.list()", "routeControl.start(poll-queue)", "routeControl.stop(poll-queue)"),
                happened());
    }

    @Test
    void a_point_for_the_charts_is_sampled_every_5_seconds() throws Exception {
        send("look-at-freshness");
        assertEquals(List.of("freshness.sample()", "routeControl.sample()"), happened());
        assertEquals(Duration.ofSeconds(5), every("look-at-freshness"));
    }
}
