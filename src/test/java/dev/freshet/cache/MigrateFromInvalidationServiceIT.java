package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.Walkthrough;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Follows docs/migrate-from-invalidation-service.md as written, there and back. */
class MigrateFromInvalidationServiceIT {
    private static final String OLD_SYSTEM = """
        CREATE TABLE public.invalidation_audit (id SERIAL PRIMARY KEY, pattern VARCHAR(1000) NOT NULL,
            keys JSONB NOT NULL, triggered_by VARCHAR(255) NOT NULL,
            timestamp TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'), request_id VARCHAR(255) NOT NULL,
            latency_ms INTEGER, created_at TIMESTAMP DEFAULT NOW());
        CREATE INDEX ON public.invalidation_audit (request_id);
        INSERT INTO public.invalidation_audit (pattern, keys, triggered_by, request_id, latency_ms)
        VALUES ('user:*', '["user:1"]', 'old-service', 'from-the-old-service', 12);
        """;

    private TestDatabase database;
    private Walkthrough guide;

    @BeforeEach
    void installOldSystem() throws Exception {
        database = TestDatabase.empty();
        database.run(OLD_SYSTEM);
        guide = new Walkthrough("docs/migrate-from-invalidation-service.md", database);
    }

    @AfterEach
    void stopEverything() throws SQLException {
        database.close();
    }

    @Test
    void callers_and_cache_processes_switch_over_and_back() throws Exception {
        guide.check("look");
        Map<String, String> environment = guide.environment("start");
        environment.put("DATABASE_URL", database.url());
        try (FreshetProcess freshet = FreshetProcess.start(environment);
                Connection listener = database.connect()) {
            guide.check("check-adopted");
            guide.curl(freshet, environment, "check-reading");
            TestDatabase.run(listener, guide.block("listen"));
            guide.curl(freshet, environment, "key");
            guide.curl(freshet, environment, "pattern");
            guide.curl(freshet, environment, "registry");
            guide.curl(freshet, environment, "again");
            guide.curl(freshet, environment, "metrics");
            guide.check("check-log");
            List<String> events = new ArrayList<>();
            Scene.until("three events", () -> {
                var some = listener.unwrap(PGConnection.class).getNotifications(100);
                for (int i = 0; some != null && i < some.length; i++) {
                    events.add(some[i].getParameter().replaceAll(",\"triggered_by.*", ""));
                }
                return events.size() >= 3;
            });
            assertEquals(
                    List.of(
                            "{\"pattern\":\"\",\"matched_keys\":[\"user:1\",\"user:2\"]",
                            "{\"pattern\":\"user:123:*\",\"matched_keys\":[\"user:123:profile\"]",
                            "{\"pattern\":\"*:cart\",\"matched_keys\":[\"user:123:cart\"]"),
                    events);
            assertTrue(assertThrows(SQLException.class, () -> database.run("DELETE FROM public.invalidation_audit"))
                    .getMessage()
                    .contains("append-only"));
        }
        database.run(guide.block("back"));
        guide.check("check-back");
        database.run(guide.block("again-freshet"));
        assertThrows(SQLException.class, () -> database.run("DELETE FROM public.invalidation_audit"));
    }

    @Test
    void every_block_of_the_document_is_run() {
        guide.everyBlockIsRunIn(MigrateFromInvalidationServiceIT.class);
    }
}
