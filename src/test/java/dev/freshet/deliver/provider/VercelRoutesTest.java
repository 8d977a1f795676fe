package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VercelRoutesTest extends TargetRouteTest {
    VercelRoutesTest() {
        super("templates/vercel.camel.yaml");
    }

    @Test
    void tags_of_a_project_are_marked_as_stale_together() throws Exception {
        target("vercel", Map.of("address", receiver.url(), "project", "p1", "token", "t1"));
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(
                List.of("POST /v1/edge-cache/invalidate-by-tags?projectIdOrName=p1\n"
                        + "{\"tags\":[\"course:7\",\"course:8\"] }"),
                calls());
        assertEquals(Map.of("authorization", "Bearer t1", "content-type", "application/json"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void a_teams_project_is_named_together_with_its_team() throws Exception {
        target(
                "vercel",
                Map.of(
                        "address", receiver.url(),
                        "project", "p1",
                        "team", "team1",
                        "token", "t1",
                        "action", "dangerously-delete"));
        deliver("seda:target-cdn", "course:7");
        assertEquals(
                List.of("POST /v1/edge-cache/dangerously-delete-by-tags?projectIdOrName=p1&teamId=team1\n"
                        + "{\"tags\":[\"course:7\"] }"),
                calls());
    }
}
