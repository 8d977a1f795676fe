package dev.freshet.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AuditRoutesTest extends RouteTest {
    AuditRoutesTest() {
        super("audit.camel.yaml");
    }

    @Test
    void two_hundred_rows_are_written_together() throws Exception {
        List<AuditLog.Row> rows = new ArrayList<>();
        for (int i = 1; i <= 200; i++) {
            assertEquals(List.of(), happened());
            rows.add(AuditLog.Row.of("request", null, null, "manual", null, "request " + i, null));
            send("seda:audit", rows.get(i - 1));
        }
        assertEquals(List.of("auditLog.write(" + rows + ")"), happened());
    }

    @Test
    void old_rows_are_removed_and_new_ones_sealed() throws Exception {
        send("forget-audit");
        send("seal-audit");
        assertEquals(List.of("auditLog.forgetOld()", "auditChain.seal()"), happened());
        assertEquals(Duration.ofMinutes(1), every("forget-audit"));
        assertEquals(Duration.ofSeconds(5), every("seal-audit"));
    }
}
