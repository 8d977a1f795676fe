package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ApiStatsRoutesTest extends RouteTest {
    private static final Map<String, Object> ID = Map.of("id", "j1");

    ApiStatsRoutesTest() {
        super("api-stats.camel.yaml", "api.camel.yaml");
    }

    @Test
    void the_accepted_triggers_are_answered_as_json() throws Exception {
        answer("jobRequests.health", Map.of("status", "healthy"));
        assertEquals("{\"status\":\"healthy\"}", text(send("GET /api/admin/enqueue-stats-job")));
    }

    @Test
    void a_queued_job_may_begin_at_once() throws Exception {
        answer("jobRequests.enqueue", Map.of("jobId", "j1"));
        assertEquals("{\"jobId\":\"j1\"}", text(send("POST /api/admin/enqueue-stats-job", "{\"source\":\"match\"}")));
        assertEquals(List.of("jobRequests.enqueue({source=match})", "wake seda:claim-job"), happened());
    }

    @Test
    void jobs_are_listed_with_the_filters_of_the_request() throws Exception {
        answer("jobRequests.list", Map.of("jobs", List.of()));
        Map<String, Object> filters = Map.of("status", "failed", "limit", "10", "offset", "20");
        assertEquals("{\"jobs\":[]}", text(send("GET /api/admin/jobs", null, filters)));
        assertEquals(List.of("jobRequests.list(failed, 10, 20)"), happened());
    }

    @Test
    void a_job_is_shown_and_cancelled_by_its_id() throws Exception {
        answer("jobRequests.one", Map.of("status", "queued"));
        answer("jobRequests.cancel", Map.of("success", true));
        assertEquals("{\"status\":\"queued\"}", text(send("GET /api/admin/jobs/{id}", null, ID)));
        assertEquals("{\"success\":true}", text(send("POST /api/admin/jobs/{id}/cancel", null, ID)));
        assertEquals(List.of("jobRequests.one(j1)", "jobRequests.cancel(j1)"), happened());
    }

    @Test
    void a_job_that_is_queued_again_may_begin_at_once() throws Exception {
        answer("jobRequests.retry", Map.of("success", true));
        assertEquals("{\"success\":true}", text(send("POST /api/admin/jobs/{id}/retry", null, ID)));
        assertEquals(List.of("jobRequests.retry(j1)", "wake seda:claim-job"), happened());
    }
}
