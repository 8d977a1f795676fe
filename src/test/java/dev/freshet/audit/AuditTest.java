package dev.freshet.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The audit: appended to, read, forgotten in time, and never rewritten unnoticed. */
class AuditTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String INSERT =
            "INSERT INTO invalidation_audit (kind, pattern, keys, triggered_by, request_id, timestamp) SELECT"
                    + " 'invalidation', 'p' || i %% 3, jsonb_build_array('k' || i), 'test', 'r' || i,"
                    + " now() - interval '1 day' + i * interval '1 second' FROM generate_series(%d, %d) i";

    private TestDatabase database;
    private Transactions transactions;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        transactions = new Transactions(database.pool(3));
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE invalidation_audit SET triggered_by = 'x'",
                "DELETE FROM invalidation_audit",
                "TRUNCATE invalidation_audit",
                "TRUNCATE invalidation_audit CASCADE",
                "DELETE FROM invalidation_audit WHERE false",
                "INSERT INTO invalidation_audit SELECT * FROM invalidation_audit LIMIT 1 ON CONFLICT (id) DO UPDATE"
                        + " SET triggered_by = 'x'",
                "MERGE INTO invalidation_audit a USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
                "INSERT INTO freshet.audit_retention VALUES ('3', 'infinity'); DELETE FROM invalidation_audit"
            })
    void nobody_can_rewrite_the_audit(String sql) throws SQLException {
        add(1, 3);
        for (String role : List.of("freshet", "postgres")) {
            try (Connection c = database.connectAs(role)) {
                SQLException refused = assertThrows(SQLException.class, () -> TestDatabase.run(c, sql), role);
                assertTrue(refused.getMessage().contains("append-only"), refused.getMessage());
            }
        }
        assertEquals("3", database.one("SELECT count(*) FROM invalidation_audit"));
    }

    @Test
    void only_the_retention_removes_rows_and_only_old_enough_ones() throws SQLException {
        add(1, 10);
        new AuditLog(transactions, Duration.ofHours(25)).forgetOld();
        assertEquals("10", database.one("SELECT count(*) FROM invalidation_audit"));
        database.run("INSERT INTO invalidation_audit (kind, timestamp) VALUES ('invalidation', now() - interval '26"
                + " hours')");
        new AuditLog(transactions, Duration.ofHours(25)).forgetOld();
        assertEquals("10", database.one("SELECT count(*) FROM invalidation_audit"));
        assertEquals("0", database.one("SELECT count(*) FROM freshet.audit_retention"), "the way is closed behind it");
    }

    @Test
    void the_retention_job_can_be_a_role_of_its_own() throws SQLException {
        add(1, 2);
        database.runAsSuperuser(
                "DO $$ BEGIN CREATE ROLE keeper LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;GRANT USAGE"
                        + " ON SCHEMA freshet TO keeper; GRANT EXECUTE ON FUNCTION freshet.forget_audit(timestamptz,"
                        + " integer) TO keeper");
        try (Connection keeper = database.connectAs("keeper")) {
            assertEquals(List.of("2"), TestDatabase.list(keeper, "SELECT freshet.forget_audit(now(), 10)"));
            assertThrows(SQLException.class, () -> TestDatabase.run(keeper, "DELETE FROM public.invalidation_audit"));
        }
    }

    @Test
    void the_chain_holds_and_grows() throws SQLException {
        add(1, 20);
        AuditChain chain = new AuditChain(transactions, () -> false);
        chain.seal();
        add(21, 25);
        chain.seal();
        chain.seal();
        AuditChain.VerifiedAudit found = chain.verify(null);
        assertEquals(true, found.ok());
        assertEquals(2L, found.batches());
        assertEquals(25L, found.rows());
        assertEquals(
                database.one("SELECT encode(hash, 'hex') FROM freshet.audit_seal ORDER BY number DESC LIMIT 1"),
                found.head());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE invalidation_audit SET triggered_by = 'nobody' WHERE id::text = ?",
                "UPDATE invalidation_audit SET keys = '[]' WHERE id::text = ?",
                "DELETE FROM invalidation_audit WHERE id::text = ?",
                "INSERT INTO invalidation_audit (kind, xid, pattern)"
                        + " SELECT 'invalidation', xid, 'forged' FROM invalidation_audit WHERE id::text = ?"
            })
    void tampering_by_a_superuser_is_detected(String sql) throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        for (int i = 0; i < 3; i++) {
            add(i * 10 + 1, i * 10 + 10);
            chain.seal();
        }
        String row = database.one("SELECT id FROM invalidation_audit WHERE request_id = 'r15'");
        try (Connection superuser = database.connectAs("postgres");
                var statement = superuser.prepareStatement(sql)) {
            TestDatabase.run(superuser, "SET session_replication_role = replica");
            statement.setString(1, row);
            statement.execute();
        }
        AuditChain.VerifiedAudit found = chain.verify(null);
        assertEquals(false, found.ok());
        AuditChain.FirstBroken broken = found.firstBroken();
        assertEquals(2L, broken.batch());
        if (sql.startsWith("UPDATE")) {
            assertEquals(row, broken.row());
        }
        assertEquals(1L, found.batches(), "those before it are as they were");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM freshet.audit_seal WHERE number = 2",
                "UPDATE freshet.audit_seal SET digests = substr(digests, 33), stamps = stamps[2:], rows = rows - 1"
                        + " WHERE number = 2",
                "UPDATE freshet.audit_seal SET stamps[3] = '-infinity' WHERE number = 2",
                "UPDATE freshet.audit_seal SET hash = sha256('x') WHERE number = 1"
            })
    void a_changed_seal_is_detected(String sql) throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        for (int i = 0; i < 3; i++) {
            add(i * 10 + 1, i * 10 + 10);
            chain.seal();
        }
        database.run(sql);
        assertEquals(false, chain.verify(null).ok());
    }

    @Test
    void a_late_commit_is_sealed_in_a_later_batch() throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        try (Connection late = database.connect()) {
            late.setAutoCommit(false);
            TestDatabase.run(late, String.format(INSERT, 1, 1));
            add(2, 5);
            chain.seal();
            assertEquals(0L, chain.verify(null).rows(), "nothing is closed over the open transaction");
            late.commit();
        }
        chain.seal();
        assertEquals(5L, chain.verify(null).rows());
        assertEquals(true, chain.verify(null).ok());
    }

    @Test
    void rows_removed_by_the_retention_do_not_break_the_chain() throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        add(1, 5);
        database.run("INSERT INTO invalidation_audit (kind, timestamp) VALUES ('invalidation', now() - interval '26"
                + " hours')");
        chain.seal();
        add(6, 9);
        chain.seal();
        new AuditLog(transactions, Duration.ofHours(25)).forgetOld();
        assertEquals(true, chain.verify(null).ok());
        assertEquals(2L, chain.verify(null).batches());
    }

    @Test
    void seals_are_removed_with_their_rows_and_the_chain_starts_at_the_oldest_left() throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        for (int i = 0; i < 3; i++) {
            database.run("INSERT INTO invalidation_audit (kind, timestamp)"
                    + " VALUES ('invalidation', now() - interval '26 hours')");
            chain.seal();
        }
        add(1, 3);
        chain.seal();
        add(4, 6);
        chain.seal();
        new AuditLog(transactions, Duration.ofHours(25)).forgetOld();
        assertEquals(List.of("4", "5"), database.list("SELECT number FROM freshet.audit_seal ORDER BY number"));
        assertEquals(true, chain.verify(null).ok());
        assertEquals(2L, chain.verify(null).batches());
        database.run("DELETE FROM freshet.audit_seal WHERE number = 4");
        assertEquals(false, chain.verify(null).ok(), "one that the retention did not remove is missed");
    }

    @Test
    void the_chain_continues_after_everything_was_forgotten() throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        for (int i = 0; i < 2; i++) {
            add(i * 3 + 1, i * 3 + 3);
            chain.seal();
        }
        new AuditLog(transactions, Duration.ZERO).forgetOld();
        assertEquals(List.of("2"), database.list("SELECT number FROM freshet.audit_seal"));
        add(7, 9);
        chain.seal();
        assertEquals(true, chain.verify(null).ok());
        new AuditLog(transactions, Duration.ZERO).forgetOld();
        assertEquals(List.of("3"), database.list("SELECT number FROM freshet.audit_seal"));
        assertEquals(true, chain.verify(null).ok());
    }

    @Test
    void a_row_with_a_wrong_old_time_does_not_hide_a_deleted_neighbour() throws SQLException {
        AuditChain chain = new AuditChain(transactions, () -> false);
        add(1, 5);
        database.run("INSERT INTO invalidation_audit (kind, timestamp)"
                + " VALUES ('attempt', now() - interval '20 years')");
        add(6, 9);
        chain.seal();
        new AuditLog(transactions, Duration.ofHours(25)).forgetOld();
        assertEquals(true, chain.verify(null).ok(), "the old one may leave");
        try (Connection superuser = database.connectAs("postgres")) {
            TestDatabase.run(
                    superuser,
                    "SET session_replication_role = replica;"
                            + "DELETE FROM invalidation_audit WHERE request_id = 'r3'");
        }
        AuditChain.FirstBroken broken = chain.verify(null).firstBroken();
        assertEquals(database.one("SELECT id FROM invalidation_audit WHERE request_id = 'r4'"), broken.row());
    }

    @Test
    void sealing_and_stats_jobs_do_not_wait_for_each_other() throws SQLException {
        add(1, 3);
        try (Connection stats = database.connect()) {
            stats.setAutoCommit(false);
            assertEquals(
                    "t",
                    TestDatabase.list(stats, SqlFile.text("stats/take-stats-turn"))
                            .get(0));
            new AuditChain(transactions, () -> false).seal();
            stats.rollback();
        }
        assertEquals("1", database.one("SELECT count(*) FROM freshet.audit_seal"));
    }

    @Test
    void the_table_has_the_types_of_the_replaced_service() throws Exception {
        assertEquals(
                List.of("id bigint", "latency_ms bigint"),
                database.list(
                        "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                                + " 'invalidation_audit'::regclass AND attname IN ('id', 'latency_ms') ORDER BY 1"));
        database.run("INSERT INTO invalidation_audit (kind, latency_ms)"
                + " VALUES ('invalidation', 12.6), ('invalidation', NULL)");
        JsonNode logs = page(new AuditPages(transactions), Map.of()).get("logs");
        assertEquals("null", logs.get(0).get("latency").toString());
        assertEquals("13", logs.get(1).get("latency").toString());
        assertEquals("\"\"", logs.get(0).get("pattern").toString());
        assertTrue(logs.get(0).get("id").isIntegralNumber());
    }

    @ParameterizedTest
    @CsvSource({"uuid,double precision", "text,integer", "serial,numeric", "bigint,smallint"})
    void an_adopted_audit_keeps_its_types_and_is_read_in_the_same_way(String id, String latency) throws Exception {
        try (TestDatabase adopted = TestDatabase.empty()) {
            adopted.run("CREATE TABLE invalidation_audit (id " + id + " PRIMARY KEY, pattern varchar(1000) NOT NULL,"
                    + " keys jsonb NOT NULL, triggered_by varchar(255) NOT NULL, timestamp timestamp NOT NULL,"
                    + " request_id varchar(255) NOT NULL, latency_ms " + latency + ", created_at timestamp)");
            adopted.migrate();
            adopted.run("INSERT INTO invalidation_audit (kind, latency_ms)"
                    + " SELECT 'invalidation', 12.6 FROM generate_series(1, 5)");
            AuditPages pages = new AuditPages(new Transactions(adopted.pool(1)));
            JsonNode page = page(pages, Map.of("limit", "3"));
            assertEquals("13", page.get("logs").get(0).get("latency").toString());
            assertEquals("\"\"", page.get("logs").get(0).get("pattern").toString());
            JsonNode rest = page(
                    pages,
                    Map.of("limit", "3", "cursor", page.get("next_cursor").asText()));
            assertEquals(2, rest.get("logs").size());
            assertEquals(
                    id.replace("serial", "integer"),
                    adopted.one("SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                            + " WHERE attrelid = 'invalidation_audit'::regclass AND attname = 'id'"));
        }
    }

    @Test
    void rows_of_an_adopted_audit_stay() throws Exception {
        try (TestDatabase adopted = TestDatabase.empty()) {
            adopted.run("CREATE TABLE invalidation_audit (id bigserial PRIMARY KEY, pattern text, keys jsonb,"
                    + " triggered_by text, timestamp timestamptz NOT NULL, request_id text, latency_ms bigint,"
                    + " created_at timestamptz); INSERT INTO invalidation_audit (request_id, timestamp)"
                    + " VALUES ('adopted', '2001-01-01')");
            adopted.migrate();
            adopted.run("INSERT INTO invalidation_audit (kind, request_id, timestamp)"
                    + " VALUES ('invalidation', 'own', '2001-01-02')");
            new AuditLog(new Transactions(adopted.pool(1)), Duration.ofDays(90)).forgetOld();
            assertEquals(List.of("adopted"), adopted.list("SELECT request_id FROM invalidation_audit"));
        }
    }

    @Test
    void the_later_of_rows_with_equal_times_comes_first() throws Exception {
        database.run("INSERT INTO invalidation_audit (kind, request_id)"
                + " SELECT 'invalidation', i::text FROM generate_series(1, 12) i");
        List<String> read = new ArrayList<>();
        JsonNode logs = page(new AuditPages(transactions), Map.of()).get("logs");
        logs.forEach(log -> read.add(log.get("request_id").asText()));
        assertEquals(List.of("12", "11", "10", "9", "8", "7", "6", "5", "4", "3", "2", "1"), read);
    }

    @Test
    void pages_and_cursors_return_the_same_rows_even_with_equal_times() throws Exception {
        add(1, 30);
        database.run("INSERT INTO invalidation_audit (kind, request_id, timestamp) SELECT 'invalidation', 'same' || i,"
                + " '2020-01-01' FROM generate_series(1, 30) i;INSERT INTO invalidation_audit (kind, request_id,"
                + " outcome) VALUES ('attempt', 'not-listed', NULL), ('delivery', 'not-listed', 'retry'),"
                + " ('delivery', 'listed', 'delivered'), (NULL, 'old', NULL)");
        AuditPages pages = new AuditPages(transactions);
        List<String> byOffset = new ArrayList<>();
        for (int offset = 0; offset < 70; offset += 7) {
            JsonNode page = page(pages, Map.of("limit", "7", "offset", offset + ""));
            assertEquals(62, page.get("total_count").asInt());
            assertEquals(offset + 7 < 62, page.get("has_more").asBoolean());
            page.get("logs").forEach(log -> byOffset.add(log.get("id").asText()));
        }
        List<String> byCursor = new ArrayList<>();
        JsonNode page = page(pages, Map.of("limit", "7"));
        while (true) {
            page.get("logs").forEach(log -> byCursor.add(log.get("id").asText()));
            if (!page.get("has_more").asBoolean()) {
                break;
            }
            page = page(
                    pages,
                    Map.of("limit", "7", "cursor", page.get("next_cursor").asText()));
        }
        assertEquals(62, byOffset.size());
        assertEquals(byOffset, byCursor);
        assertEquals(62, byOffset.stream().distinct().count());
    }

    @Test
    void filters_narrow_the_list_and_kinds_widen_it() throws Exception {
        add(1, 9);
        database.run(
                "INSERT INTO invalidation_audit (kind, keys, request_id) VALUES ('replay', '[\"k4\"]', 'x'), ('job',"
                        + " '[]', 'r4')");
        AuditPages pages = new AuditPages(transactions);
        assertEquals(3, page(pages, Map.of("pattern", "p1")).get("total_count").asInt());
        assertEquals(0, page(pages, Map.of("pattern", "p%")).get("total_count").asInt());
        assertEquals(
                1, page(pages, Map.of("request_id", "r4")).get("total_count").asInt());
        assertEquals(
                2,
                page(pages, Map.of("request_id", "r4", "kind", "all"))
                        .get("total_count")
                        .asInt());
        assertEquals(1, page(pages, Map.of("kind", "jobs")).get("total_count").asInt());
        assertEquals(1, page(pages, Map.of("key", "k4")).get("total_count").asInt());
        assertEquals(
                2,
                page(pages, Map.of("key", "k4", "kind", "all"))
                        .get("total_count")
                        .asInt());
        assertEquals(11, page(pages, Map.of("kind", "all")).get("total_count").asInt());
        assertEquals(9, page(pages, Map.of()).get("total_count").asInt());
    }

    @Test
    void a_long_audit_is_counted_up_to_a_limit_only() throws Exception {
        add(1, 10_050);
        JsonNode page = page(new AuditPages(transactions), Map.of());
        assertEquals(10_000, page.get("total_count").asInt());
        assertTrue(page.get("total_is_capped").asBoolean());
        assertTrue(page.get("has_more").asBoolean());
        assertEquals(
                50,
                page(new AuditPages(transactions), Map.of("offset", "10000"))
                        .get("logs")
                        .size());
        assertEquals(
                0,
                page(new AuditPages(transactions), Map.of("offset", "100000000"))
                        .get("logs")
                        .size());
    }

    @Test
    void every_kind_is_offered_by_the_description_and_by_the_console() throws Exception {
        Set<String> kinds = new TreeSet<>(AuditPages.KINDS);
        kinds.add("all");
        Set<String> described = new TreeSet<>();
        for (JsonNode parameter : JSON.readTree(Files.readString(Path.of("src/main/resources/openapi.json")))
                .at("/paths/~1audit~1logs/get/parameters")) {
            if (parameter.get("name").asText().equals("kind")) {
                parameter.at("/schema/enum").forEach(kind -> described.add(kind.asText()));
            }
        }
        assertEquals(kinds, described);
        String filter = Files.readString(Path.of("src/main/resources/console/audit.js"))
                .replaceAll("(?s).*const KINDS = \\[(.*?)];.*", "$1");
        assertEquals(
                kinds, new TreeSet<>(List.of(filter.replaceAll("[\\s']", "").split(","))));
    }

    @Test
    void every_kind_can_be_listed() throws Exception {
        AuditPages pages = new AuditPages(transactions);
        for (String kind : AuditPages.KINDS) {
            database.run("INSERT INTO invalidation_audit (kind) VALUES ('" + kind + "')");
            assertEquals(
                    kind,
                    page(pages, Map.of("kind", kind))
                            .get("logs")
                            .get(0)
                            .get("kind")
                            .asText());
        }
        new AuditLog(transactions, Duration.ofDays(1)).write(List.of(AuditLog.Row.ofReplica("replica1", true, null)));
        assertEquals(
                "replica1",
                page(pages, Map.of("kind", "replica"))
                        .get("logs")
                        .get(0)
                        .get("detail")
                        .asText());
    }

    @Test
    void the_newest_of_many_rows_of_one_pattern_or_request_comes_first() throws Exception {
        database.run("INSERT INTO invalidation_audit (kind, pattern, request_id, latency_ms, timestamp) SELECT"
                + " 'invalidation', 'same', 'same', i, now() + i * interval '1 second'"
                + " FROM generate_series(1, 10050) i");
        AuditPages pages = new AuditPages(transactions);
        for (String filter : List.of("pattern", "request_id")) {
            JsonNode page = page(pages, Map.of(filter, "same"));
            assertEquals("10050", page.get("logs").get(0).get("latency").asText());
            assertEquals(10_000, page.get("total_count").asInt());
            assertTrue(page.get("total_is_capped").asBoolean());
            JsonNode last = page(pages, Map.of(filter, "same", "offset", "10000"));
            assertEquals(50, last.get("logs").size());
            assertEquals("1", last.get("logs").get(49).get("latency").asText());
            assertEquals(false, last.get("has_more").asBoolean());
            JsonNode next = page(
                    pages,
                    Map.of(filter, "same", "cursor", page.get("next_cursor").asText()));
            assertEquals("10000", next.get("logs").get(0).get("latency").asText());
        }
    }

    @Test
    void a_rare_kind_is_found_however_many_deliveries_are_newer() throws Exception {
        database.run("INSERT INTO invalidation_audit (kind, keys, timestamp) VALUES ('job', '[\"k\"]', '2020-01-01');"
                + " INSERT INTO invalidation_audit (kind, keys) SELECT 'delivery', '[\"d\"]'"
                + " FROM generate_series(1, 101)");
        AuditPages pages = new AuditPages(transactions, 100);
        for (Map<String, Object> query : List.<Map<String, Object>>of(
                Map.of("kind", "job"), Map.of("kind", "job", "key", "k"), Map.of("kind", "jobs", "tag", "k"))) {
            JsonNode page = page(pages, query);
            assertEquals(1, page.get("logs").size(), query::toString);
            assertEquals(1, page.get("total_count").asInt());
            assertEquals(false, page.get("has_more").asBoolean());
            assertEquals(false, page.has("total_is_capped"));
        }
    }

    @ParameterizedTest
    @CsvSource({"all", "delivery", "invalidation"})
    void a_search_that_reached_the_end_of_its_window_says_so_and_goes_on(String kind) throws Exception {
        String listed = kind.equals("all") ? "delivery" : kind;
        database.run("INSERT INTO invalidation_audit (kind, keys, request_id, timestamp) SELECT '" + listed + "',"
                + " CASE WHEN i IN (1, 2, 140, 249) THEN '[\"rare\"]' ELSE '[\"often\"]' END::jsonb, i::text,"
                + " now() + i / 3 * interval '1 second' FROM generate_series(1, 250) i");
        AuditPages pages = new AuditPages(transactions, 100);
        Map<String, Object> query = new HashMap<>(Map.of("kind", kind, "tag", "rare", "limit", "1"));
        List<String> found = new ArrayList<>();
        JsonNode page = page(pages, query);
        assertTrue(page.get("total_is_capped").asBoolean());
        for (int asked = 0; asked < 20; asked++) {
            page.get("logs").forEach(log -> found.add(log.get("request_id").asText()));
            if (!page.get("has_more").asBoolean()) {
                break;
            }
            query.put("cursor", page.get("next_cursor").asText());
            page = page(pages, query);
        }
        assertEquals(List.of("249", "140", "2", "1"), found);
        assertEquals(false, page.has("total_is_capped"));
    }

    private static JsonNode page(AuditPages pages, Map<String, Object> query) throws SQLException {
        return JSON.valueToTree(pages.list(new HashMap<>(query)));
    }

    private void add(int from, int to) throws SQLException {
        database.run(String.format(INSERT, from, to));
    }
}
