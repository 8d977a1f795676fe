package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A VACUUM that meets an empty queue makes the planner believe that the queue is always empty. Statements that every
 * tag passes through must nevertheless read only the rows that they work on.
 */
class PlansTest {
    private static final int ROWS = 6_000;
    private static final int BATCH = 50;
    /** Each row is read several times by one statement: to look, to lock, to change. */
    private static final int ENOUGH = 8 * BATCH;

    /** After this many executions the driver keeps a statement, and the server its plan. */
    private static final int PREPARED_AFTER = 6;

    private static final UUID LEASE = UUID.randomUUID();

    private TestDatabase database;
    private Transactions transactions;

    @BeforeEach
    void vacuumWhileEmpty() throws Exception {
        database = TestDatabase.migrated();
        transactions = new Transactions(database.pool(1), true);
        database.run("INSERT INTO freshet.target (name) VALUES ('x'), ('y')");
        queue("handover = 1");
        owe();
        database.run("DELETE FROM freshet.delivery");
        database.run("DELETE FROM cache_invalidation_queue");
        Eventually.is(Duration.ofMinutes(1), this::isKnownAsEmpty, () -> "VACUUM finds nothing left");
    }

    /** Autovacuum may be at work at the same time, with a snapshot that still sees the rows. */
    private boolean isKnownAsEmpty() {
        try {
            database.run("VACUUM (TRUNCATE false) freshet.delivery");
            database.run("VACUUM (TRUNCATE false) cache_invalidation_queue");
            return List.of("t", "t")
                    .equals(database.list("SELECT relpages > 0 AND reltuples = 0 FROM pg_class WHERE oid IN"
                            + " ('freshet.delivery'::regclass, 'cache_invalidation_queue'::regclass)"));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"custom", "generic"})
    void a_settlement_reads_only_its_rows(String plan) throws Exception {
        assertReadsLittle(plan, "deliver/settle", settlement("delivered"), this::handOver);
        assertEquals("" + (ROWS - BATCH), database.one("SELECT count(*) FROM freshet.delivery WHERE target = 'x'"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"custom", "generic"})
    void a_settlement_of_failures_reads_only_its_rows(String plan) throws Exception {
        assertReadsLittle(plan, "deliver/settle", settlement("failed"), this::handOver);
        assertEquals("" + BATCH, database.one("SELECT count(*) FROM freshet.delivery WHERE attempts = 1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"custom", "generic"})
    void a_claim_reads_only_its_rows(String plan) throws Exception {
        Map<String, Object> terms = new HashMap<>(
                Map.of("target", "x", "limit", BATCH, "urgentLimit", BATCH, "retries", BATCH, "lowestFirst", false));
        terms.putAll(Map.of("freshWithinSeconds", 1e9, "retriesWithinSeconds", 1e9, "hasReplicas", false));
        terms.putAll(Map.of("lease", UUID.randomUUID(), "leaseSeconds", 60.0));
        terms.putAll(Map.of("probeSeconds", 60.0, "probeMaxSeconds", 60.0));
        assertReadsLittle(plan, "deliver/claim", terms, () -> {
            owe();
            database.run("UPDATE freshet.delivery SET lease_id = NULL, claimed_handover = NULL, due_at = now()");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"custom", "generic"})
    void a_hand_over_reads_only_its_rows(String plan) throws Exception {
        Map<String, Object> terms = new HashMap<>(Map.of("limit", BATCH, "momentLimit", BATCH, "lowest", 0));
        terms.putAll(Map.of("horizon", Timestamp.from(Instant.now()), "debounceSeconds", 0.0, "aside", List.of()));
        terms.putAll(Map.of("since", NarrowLooks.EVER, "claims", "[]", "leaseSeconds", 60.0, "hasReplicas", false));
        assertReadsLittle(plan, "queue/hand-over", terms, () -> queue("handover = NULL"));
        assertEquals("" + 2 * BATCH, database.one("SELECT count(*) FROM freshet.delivery"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"custom", "generic"})
    void marking_after_a_lock_reads_only_its_rows(String plan) throws Exception {
        List<String> tags = tags();
        List<String> buckets = tags.stream().map(tag -> "2026-01-01").toList();
        assertReadsLittle(plan, "queue/mark", Map.of("tags", tags, "heldTags", tags, "heldBuckets", buckets), () -> {
            handOver();
            database.run("UPDATE freshet.delivery SET settled_handover = 1");
        });
        assertEquals(
                "" + BATCH,
                database.one("SELECT count(*) FROM cache_invalidation_queue WHERE last_invalidated_at IS NOT NULL"));
    }

    private void handOver() throws SQLException {
        queue("handover = 1, handed_count = 1");
        owe();
    }

    private void queue(String set) throws SQLException {
        database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket) SELECT 'tag-' || i, '2026-01-01'"
                + " FROM generate_series(1, " + ROWS + ") i; UPDATE cache_invalidation_queue SET " + set);
    }

    private void owe() throws SQLException {
        database.run("INSERT INTO freshet.delivery"
                + " (tag, target, handover, changed_at, done_handover, lease_id, claimed_handover)"
                + " SELECT 'tag-' || i, t, 1, now(), 0, '" + LEASE + "', 1"
                + " FROM generate_series(1, " + ROWS + ") i, unnest(ARRAY['x', 'y']) t");
    }

    private static List<String> tags() {
        return IntStream.rangeClosed(1, BATCH).mapToObj(i -> "tag-" + i).toList();
    }

    private static Map<String, Object> settlement(String result) {
        String outcomes = String.join(
                ",",
                tags().stream()
                        .map(tag -> "{\"tag\":\"%s\",\"target\":\"x\",\"lease\":\"%s\",\"call\":\"c\",\"company\":1,"
                                .concat("\"result\":\"%s\",\"status\":500}")
                                .formatted(tag, LEASE, result))
                        .toList());
        Map<String, Object> terms = new HashMap<>(Map.of("outcomes", "[" + outcomes + "]", "marks", true));
        terms.putAll(Map.of("retryForSeconds", 3600.0, "backoffSeconds", 30.0, "backoffMaxSeconds", 60.0));
        terms.putAll(Map.of("breakerTags", 5, "probeSeconds", 60.0));
        return terms;
    }

    private interface Filling {
        void fill() throws SQLException;
    }

    private void assertReadsLittle(String plan, String statement, Map<String, Object> terms, Filling tables)
            throws SQLException {
        for (int i = 0; i < PREPARED_AFTER; i++) {
            assertTrue(rowsRead(plan, statement, terms).isEmpty(), "nothing is there yet");
        }
        tables.fill();
        List<String> read = rowsRead(plan, statement, terms);
        for (String of : read) {
            assertTrue(Integer.parseInt(of.split(" ")[1]) <= ENOUGH, () -> statement + " reads " + read);
        }
    }

    private List<String> rowsRead(String plan, String statement, Map<String, Object> terms) throws SQLException {
        SqlFile file = SqlFile.of(statement);
        return transactions.in(connection -> {
            TestDatabase.list(connection, "SELECT set_config('plan_cache_mode', ?, true)", "force_" + plan + "_plan");
            file.rows(connection, terms);
            return TestDatabase.list(
                    connection,
                    "SELECT relname || ' ' || seq_tup_read + idx_tup_fetch FROM pg_stat_xact_all_tables"
                            + " WHERE relname IN ('delivery', 'cache_invalidation_queue')"
                            + " AND seq_tup_read + idx_tup_fetch > 0");
        });
    }
}
