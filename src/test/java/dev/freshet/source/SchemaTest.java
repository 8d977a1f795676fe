package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.Eventually;
import dev.freshet.Refusal;
import dev.freshet.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

class SchemaTest {
    private static final String HISTORY = "SELECT count(*) FROM freshet.flyway_schema_history WHERE version = '1' AND success";
    private static final String QUEUE = "CREATE TABLE cache_invalidation_queue (tag text, time_bucket timestamptz, invalidation_count int DEFAULT 1,"
            + " last_invalidated_at timestamptz, created_at timestamptz DEFAULT now()";

    private TestDatabase database;
    private PGSimpleDataSource source;

    @BeforeEach
    void create() throws Exception {
        database = TestDatabase.empty();
        source = new PGSimpleDataSource();
        source.setUrl(database.jdbcUrl());
    }

    @AfterEach
    void drop() throws Exception {
        database.close();
    }

    @Test
    void several_instances_may_start_at_once() throws Exception {
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            starts.add(CompletableFuture.runAsync(() -> new Schema(source).migrate()));
        }
        CompletableFuture.allOf(starts.toArray(CompletableFuture[]::new)).join();
        assertEquals("1", database.one(HISTORY));
    }

    @Test
    void it_leaves_no_setting_behind_in_a_session_that_is_not_its_own() throws Exception {
        try (Connection pooled = database.connect()) {
            String before = TestDatabase.list(pooled, "SHOW search_path").get(0);
            new Schema(new OneSession(pooled)).migrate();
            assertEquals(before, TestDatabase.list(pooled, "SHOW search_path").get(0));
            assertEquals("0", TestDatabase.list(pooled, "SHOW lock_timeout").get(0));
        }
    }

    @Test
    void an_older_build_leaves_a_newer_schema_as_it_is() throws Exception {
        new Schema(source).migrate();
        database.run("INSERT INTO freshet.flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, "
                + "execution_time, success) VALUES (1000, '999', 'newer', 'SQL', 'V999__newer.sql', 1, 'x', 1, true)");
        database.run("UPDATE freshet.flyway_schema_history SET checksum = 0 WHERE version IS NULL");
        String before = database.one("SELECT count(*) FROM freshet.flyway_schema_history");
        new Schema(source).migrate();
        assertEquals(before, database.one("SELECT count(*) FROM freshet.flyway_schema_history"));
    }

    @Test
    void it_gives_way_to_a_lock_and_tries_again() throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        try (Connection user = database.connect(); Connection observer = database.connect()) {
            user.setAutoCommit(false);
            TestDatabase.run(user, "LOCK TABLE cache_invalidation_queue IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Void> migration = CompletableFuture.runAsync(() -> new Schema(source).migrate());
            Eventually.is(Duration.ofSeconds(30), () -> waits(observer), () -> "the migration waits");
            Eventually.is(Duration.ofSeconds(30), () -> !waits(observer), () -> "the migration gives way");
            user.commit();
            migration.join();
        }
        assertEquals("1", database.one(HISTORY));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "ALTER TABLE public.cache_invalidation_queue OWNER TO postgres | ALTER TABLE public.cache_invalidation_queue OWNER TO \"freshet\";",
            "ALTER TABLE cache_invalidation_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY | NO FORCE ROW LEVEL SECURITY;",
            "ALTER TABLE cache_invalidation_queue DROP CONSTRAINT cache_invalidation_queue_pkey | ADD PRIMARY KEY (tag, time_bucket);",
            "ALTER TABLE cache_invalidation_queue DROP COLUMN created_at | created_at is missing (timestamptz)",
            "ALTER TABLE cache_invalidation_queue ALTER time_bucket TYPE timestamp | time_bucket is timestamp, not timestamptz",
            "CREATE VIEW invalidation_audit AS SELECT 1 AS id | public.invalidation_audit is there already, but is no ordinary table",
            "CREATE TABLE background_job_status (id bigint); ALTER TABLE background_job_status OWNER TO freshet | id is int8, not uuid, job_type is missing (text)",
            "REVOKE CREATE ON SCHEMA public FROM freshet; ALTER SCHEMA public OWNER TO postgres | GRANT CREATE ON SCHEMA public TO \"freshet\";"})
    void a_table_that_cannot_be_adopted_is_refused_with_what_mends_it(String sql, String said) throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        new Adoption().check(source);
        database.runAsSuperuser(sql);
        String message = assertThrows(Refusal.class, () -> new Adoption().check(source)).getMessage();
        assertTrue(message.contains(said), message);
    }

    @Test
    void row_level_security_that_hides_nothing_from_the_owner_is_kept() throws Exception {
        database.run(QUEUE + ", UNIQUE (time_bucket, tag))");
        database.run("ALTER TABLE cache_invalidation_queue ENABLE ROW LEVEL SECURITY");
        new Adoption().check(source);
    }

    private static boolean waits(Connection observer) {
        try {
            return !TestDatabase.list(observer, "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'").isEmpty();
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }
}
