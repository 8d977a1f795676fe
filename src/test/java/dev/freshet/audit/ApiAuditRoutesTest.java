package dev.freshet.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ApiAuditRoutesTest extends RouteTest {
    ApiAuditRoutesTest() {
        super("api-audit.camel.yaml", "api.camel.yaml");
    }

    @Test
    void the_audit_is_listed_with_the_filters_of_the_request() throws Exception {
        answer("auditPages.list", Map.of("rows", List.of()));
        assertEquals("{\"rows\":[]}", text(send("GET /audit/logs", null, Map.of("kind", "refused"))));
        assertEquals(List.of("auditPages.list({kind=refused})"), happened());
    }

    @Test
    void the_audit_is_verified_from_the_start_that_the_request_gives() throws Exception {
        answer("auditChain.verify", Map.of("intact", true));
        assertEquals("{\"intact\":true}", text(send("GET /audit/verify", null, Map.of("from", "41"))));
        assertEquals(List.of("auditChain.verify(41)"), happened());
    }
}
