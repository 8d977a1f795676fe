package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.audit.AuditLog;
import dev.freshet.audit.AuditPages;
import dev.freshet.cache.pattern.Patterns;
import dev.freshet.database.Transactions;
import dev.freshet.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An adopted audit whose columns are shorter than what Freshet writes: the row is shortened, nothing is refused. */
class AdoptedAuditTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATTERN = "é".repeat(1_023) + "*";
    private static final String CALLER = "c".repeat(200);
    private static final String REQUEST = "日".repeat(200);

    private TestDatabase database;
    private Transactions transactions;
    private Invalidations invalidations;

    @BeforeEach
    void adopt() throws Exception {
        database = TestDatabase.empty();
        database.run("CREATE DOMAIN id AS varchar(64); CREATE TABLE invalidation_audit (id serial PRIMARY KEY,"
                + " pattern varchar(255), keys jsonb, triggered_by varchar(100), timestamp timestamptz NOT NULL,"
                + " request_id id, latency_ms integer, created_at timestamptz, detail varchar(20))");
        database.migrate();
        transactions = new Transactions(database.pool(3));
        Tallies tallies = new Tallies(transactions);
        Entries entries = new Entries(transactions, tallies, Duration.ofHours(1));
        invalidations = new Invalidations(transactions, entries, new Patterns(), tallies);
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    @Test
    void requests_are_answered_and_published_in_full() throws Exception {
        invalidations.byKeys(Map.of("keys", List.of("k1"), "triggered_by", CALLER));
        invalidations.byKeys(Map.of("keys", List.of("k2"), "triggered_by", CALLER, "request_id", REQUEST.substring(1)));
        Map<String, Object> byPattern = Map.of("pattern", PATTERN, "triggered_by", CALLER, "request_id", REQUEST);
        String answer = invalidations.byPattern(byPattern);
        assertTrue(answer.contains('"' + REQUEST + '"') && answer.contains(PATTERN), answer);
        assertEquals(answer, invalidations.byPattern(byPattern), "its id is remembered whole");
        assertEquals(
                List.of("0 200", "0 200", "1024 200"),
                database.list("SELECT length(pattern) || ' ' || length(triggered_by) FROM freshet.publication"
                        + " ORDER BY number"));
        assertEquals(
                List.of("null 100", "null 100", "255 100"),
                database.list("SELECT coalesce(length(pattern)::text, 'null') || ' ' || length(triggered_by)"
                        + " FROM invalidation_audit WHERE length(request_id) <= 64 ORDER BY id"));
    }

    @Test
    void a_row_is_found_by_the_text_that_was_shortened() throws Exception {
        invalidations.byPattern(Map.of("pattern", PATTERN, "request_id", REQUEST));
        AuditPages pages = new AuditPages(transactions);
        for (Map<String, Object> query :
                List.<Map<String, Object>>of(Map.of("pattern", PATTERN), Map.of("request_id", REQUEST))) {
            JsonNode page = JSON.valueToTree(pages.list(new HashMap<>(query)));
            assertEquals(1, page.get("logs").size());
        }
    }

    @Test
    void functions_and_the_wire_tap_write_shortened_rows() throws Exception {
        String tags = String.join(
                ",", IntStream.range(0, 30).mapToObj(i -> "'t" + i + "'").toList());
        database.run("SELECT cache_invalidate_keys(ARRAY['k'], repeat('c', 200))," + " cache_invalidate_tags(ARRAY["
                + tags + "], repeat('c', 200))");
        new AuditLog(transactions, Duration.ofDays(1))
                .write(List.of(AuditLog.Row.of(
                        "attempt", "tag", List.of("t"), CALLER, 500, "d".repeat(100), "r".repeat(100))));
        assertEquals("3", database.one("SELECT count(*) FROM invalidation_audit WHERE length(triggered_by) = 100"));
        assertEquals("2", database.one("SELECT count(*) FROM invalidation_audit WHERE length(detail) = 20"));
    }

    @Test
    void a_column_that_is_made_longer_is_filled_further() throws Exception {
        Map<String, Object> body = Map.of("pattern", PATTERN);
        for (int i = 0; i < 6; i++) { // so that a plan is kept
            invalidations.byPattern(body);
        }
        database.run("ALTER TABLE invalidation_audit ALTER COLUMN pattern TYPE varchar(300)");
        invalidations.byPattern(body);
        assertEquals("300", database.one("SELECT max(length(pattern)) FROM invalidation_audit"));
    }
}
