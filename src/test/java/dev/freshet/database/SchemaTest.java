package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.settings.CannotStart;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

class SchemaTest {
    private static final String HISTORY =
            "SELECT count(*) FROM freshet.flyway_schema_history WHERE version = '1' AND success";
    private static final String IN_FORCE = "SELECT digest FROM freshet.build";
    private static final String ONE_FUNCTION =
            "SELECT count(*) FROM pg_proc WHERE proname = 'cleanup_old_cache_invalidations'";
    private static final String SEQUENCES =
            "SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences ORDER BY 1";
    private static final String QUEUE =
            "CREATE TABLE cache_invalidation_queue (tag text, time_bucket timestamptz, invalidation_count int DEFAULT"
                    + " 1, last_invalidated_at timestamptz, created_at timestamptz DEFAULT now()";

    private static final String AUDIT =
            "CREATE TABLE invalidation_audit (id bigserial PRIMARY KEY, pattern text, keys jsonb, triggered_by text,"
                    + " timestamp timestamptz, request_id text, latency_ms bigint, created_at timestamptz";
    private static final String JOBS =
            "CREATE TABLE background_job_status (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), job_type text,"
                    + " job_payload jsonb, status text, priority int, retry_count int, tenant_id uuid,"
                    + " error_message text, results jsonb, started_at timestamptz, completed_at timestamptz,"
                    + " created_at timestamptz, updated_at timestamptz";
    private static final String ENTRIES = "CREATE TABLE cache_entries (cache_key text PRIMARY KEY, tags text[],"
            + " value jsonb, expires_at timestamptz";

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
    void the_migration_leaves_no_setting_behind_in_a_pooled_session() throws Exception {
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
        database.run("INSERT INTO freshet.flyway_schema_history (installed_rank, version, description, type, script,"
                + " checksum, installed_by, execution_time, success) VALUES (1000, '999', 'newer', 'SQL',"
                + " 'V999__newer.sql', 1, 'x', 1, true)");
        database.run("UPDATE freshet.flyway_schema_history SET checksum = 0 WHERE version IS NULL");
        String before = database.one("SELECT count(*) FROM freshet.flyway_schema_history");
        new Schema(source).migrate();
        assertEquals(before, database.one("SELECT count(*) FROM freshet.flyway_schema_history"));
    }

    /** Before the first release the migrations were rewritten, and V1.0 had another text then. */
    @Test
    void a_database_of_an_unreleased_build_is_refused_in_one_line_that_says_what_to_do() throws Exception {
        new Schema(source).migrate();
        database.run("UPDATE freshet.flyway_schema_history SET version = '1.0', checksum = 1 WHERE version = '1'");
        database.run("UPDATE freshet.flyway_schema_history SET version = '1.1', checksum = 2 WHERE version = '2'");
        String said = assertThrows(CannotStart.class, () -> new Schema(source).migrate())
                .getMessage();
        assertTrue(said.contains("unreleased build"), said);
        assertTrue(said.contains("set DATABASE_URL to an empty database"), said);
        assertTrue(said.contains("delete FRESHET_DATA_DIR"), said);
        assertEquals(1, said.lines().count(), said);
    }

    /** Builds that differ in functions only, so that no migration tells them apart. */
    @Test
    void an_older_build_does_not_overwrite_a_newer_ones_functions() throws Exception {
        Build older = new Build();
        Build newer = new Build("newer", List.of(older.digest()));
        new Schema(source, older).migrate();
        assertEquals(older.digest(), database.one(IN_FORCE));
        forgetOneFunction();
        new Schema(source, newer).migrate();
        assertEquals("newer", database.one(IN_FORCE));
        assertEquals("1", database.one(ONE_FUNCTION), "the newer one knows the older one");
        forgetOneFunction();
        new Schema(source, older).migrate();
        assertEquals("newer", database.one(IN_FORCE));
        assertEquals("0", database.one(ONE_FUNCTION), "left as it is");
        database.run("DELETE FROM freshet.build");
        new Schema(source, older).migrate();
        assertEquals(older.digest(), database.one(IN_FORCE));
        assertEquals("1", database.one(ONE_FUNCTION), "the way back on purpose");
    }

    @Test
    void the_way_back_is_open_from_a_build_with_more_files_of_functions() throws Exception {
        new Schema(source).migrate();
        forgetOneFunction();
        database.run("INSERT INTO freshet.flyway_schema_history (installed_rank, description, type, script, checksum,"
                + " installed_by, execution_time, success) VALUES (1000, 'newer', 'SQL', 'R__newer.sql', 1, 'x', 1,"
                + " true); DELETE FROM freshet.build");
        new Schema(source).migrate();
        assertEquals("1", database.one(ONE_FUNCTION));
    }

    @Test
    void a_build_overtaken_while_it_starts_leaves_everything_to_the_newer_one() throws Exception {
        Build older = new Build();
        new Schema(source, older).migrate();
        forgetOneFunction();
        try (Connection newer = database.connect();
                Connection observer = database.connect()) {
            newer.setAutoCommit(false);
            TestDatabase.run(
                    newer,
                    "UPDATE freshet.build SET digest = 'newer';" + "LOCK TABLE freshet.build IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Void> start = CompletableFuture.runAsync(() -> new Schema(source, older).migrate());
            Eventually.is(Duration.ofSeconds(30), () -> waits(observer), () -> "the older one asks");
            newer.commit();
            start.join();
        }
        assertEquals("newer", database.one(IN_FORCE));
        assertEquals("0", database.one(ONE_FUNCTION));
    }

    @Test
    void a_start_that_finds_this_build_complete_connects_only_once() throws Exception {
        new Schema(source).migrate();
        AtomicInteger asked = new AtomicInteger();
        new Schema(new DelegatingDataSource(source) {
                    @Override
                    public Connection getConnection() throws SQLException {
                        asked.incrementAndGet();
                        return super.getConnection();
                    }
                })
                .migrate();
        assertEquals(1, asked.get());
    }

    @Test
    void the_next_start_completes_what_a_start_that_died_left_undone() throws Exception {
        new Schema(source).migrate();
        forgetOneFunction();
        database.run("UPDATE freshet.build SET history = NULL");
        new Schema(source).migrate();
        assertEquals("1", database.one(ONE_FUNCTION));
        assertEquals("t", database.one("SELECT history IS NOT NULL FROM freshet.build"));
    }

    @Test
    void a_script_that_operators_deleted_from_the_history_is_applied_again() throws Exception {
        new Schema(source).migrate();
        database.run("DROP FUNCTION public.cleanup_old_cache_invalidations();"
                + " DELETE FROM freshet.flyway_schema_history WHERE script LIKE '%cleanup_old%'");
        new Schema(source).migrate();
        assertEquals("1", database.one(ONE_FUNCTION));
    }

    @Test
    void the_last_line_of_builds_txt_is_this_build() throws Exception {
        String digest = new Build().digest();
        Path file = Path.of("sql/builds.txt");
        if (Boolean.getBoolean("freshet.write-builds")
                && !Files.readAllLines(file).contains(digest)) {
            Files.writeString(file, digest + "\n", StandardOpenOption.APPEND);
        }
        List<String> lineage = Files.readAllLines(file);
        assertTrue(
                !lineage.isEmpty() && lineage.get(lineage.size() - 1).equals(digest),
                "sql/migrations or sql/functions have changed: ./dev builds adds this line to sql/builds.txt\n"
                        + digest);
        assertEquals(lineage.size(), lineage.stream().distinct().count(), "each line once");
    }

    /**
     * To truncate a table, VACUUM takes a lock that excludes everybody, and a call or a fold that meets it gives way.
     */
    @Test
    void no_vacuum_locks_a_table_against_its_readers_and_writers() throws Exception {
        new Schema(source).migrate();
        assertEquals(List.of(), database.list("""
                        SELECT oid::regclass::text FROM pg_class
                        WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'freshet'::regnamespace)
                          AND relname <> 'flyway_schema_history'
                          AND NOT 'vacuum_truncate=off' = ANY(coalesce(reloptions, '{}')) ORDER BY 1"""));
    }

    /** To Flyway this looks like a function that has changed. */
    private void forgetOneFunction() throws Exception {
        database.run("DROP FUNCTION public.cleanup_old_cache_invalidations();"
                + "UPDATE freshet.flyway_schema_history SET checksum = 0 WHERE script LIKE '%cleanup_old%'");
    }

    @Test
    void numbering_continues_in_a_copy_made_without_its_sequences() throws Exception {
        new Schema(source).migrate();
        database.run("INSERT INTO freshet.delivery (tag, target, handover, changed_at)"
                + " VALUES ('a', 'tag', 7000, now());"
                + "INSERT INTO cache_invalidation_queue (tag, time_bucket, handover) VALUES ('a', now(), 9000);"
                + "INSERT INTO invalidation_audit (id, kind) VALUES (50, 'request');"
                + "INSERT INTO freshet.publication (number, keys, triggered_by, request_id, published_at)"
                + " OVERRIDING SYSTEM VALUE VALUES (60, '[]', 'x', 'x', now());"
                + "INSERT INTO freshet.watch (number, watched, templates) OVERRIDING SYSTEM VALUE"
                + " VALUES (70, 'freshet.inbox', '{x}')");
        new Sequences(source).raise();
        assertTrue(number("SELECT nextval('freshet.handover_number')") > 9000);
        assertTrue(number("INSERT INTO invalidation_audit (kind) VALUES ('request') RETURNING id") > 50);
        assertTrue(number("INSERT INTO freshet.publication (keys, triggered_by, request_id, published_at)"
                        + " VALUES ('[]', 'x', 'x', now()) RETURNING number")
                > 60);
        assertTrue(number("SELECT nextval(pg_get_serial_sequence('freshet.watch', 'number'))") > 70);
        List<String> before = database.list(SEQUENCES);
        new Sequences(source).raise();
        assertEquals(before, database.list(SEQUENCES), "nothing to do, nothing done");
    }

    private long number(String sql) throws Exception {
        return Long.parseLong(database.one(sql));
    }

    @Test
    void the_migration_gives_way_to_a_lock_and_tries_again() throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        try (Connection user = database.connect();
                Connection observer = database.connect()) {
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
    @CsvSource(
            delimiter = '|',
            value = {
                "ALTER TABLE public.cache_invalidation_queue OWNER TO postgres | ALTER TABLE"
                        + " public.cache_invalidation_queue OWNER TO \"freshet\";",
                "ALTER TABLE cache_invalidation_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY | NO FORCE"
                        + " ROW LEVEL SECURITY;",
                "ALTER TABLE cache_invalidation_queue DROP CONSTRAINT cache_invalidation_queue_pkey | ADD PRIMARY KEY"
                        + " (tag, time_bucket);",
                "ALTER TABLE cache_invalidation_queue DROP COLUMN created_at | created_at is missing (timestamptz)",
                "ALTER TABLE cache_invalidation_queue ALTER time_bucket TYPE timestamp | time_bucket is timestamp, not"
                        + " timestamptz",
                "CREATE VIEW invalidation_audit AS SELECT 1 AS id | public.invalidation_audit is there already, but is"
                        + " no ordinary table",
                "CREATE TABLE background_job_status (id bigint); ALTER TABLE background_job_status OWNER TO freshet |"
                        + " id is int8, not uuid, job_type is missing (text)",
                "CREATE TYPE state AS ENUM ('queued'); CREATE TABLE background_job_status (id uuid, status state);"
                        + " ALTER TABLE background_job_status OWNER TO freshet | status is state, not text",
                "REVOKE CREATE ON SCHEMA public FROM freshet; ALTER SCHEMA public OWNER TO postgres | GRANT CREATE ON"
                        + " SCHEMA public TO \"freshet\";"
            })
    void a_table_that_cannot_be_adopted_is_refused_with_the_remedy(String sql, String said) throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        new Adoption().check(source);
        database.runAsSuperuser(sql);
        String message = assertThrows(CannotStart.class, () -> new Adoption().check(source))
                .getMessage();
        assertTrue(message.contains(said), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ALTER TABLE cache_invalidation_queue ADD COLUMN shop int NOT NULL, ADD COLUMN \"By\" text NOT NULL"
                        + " | (shop, \"By\") | ALTER COLUMN shop DROP NOT NULL, ALTER COLUMN \"By\" DROP NOT NULL;",
                "CREATE TABLE invalidation_audit (id uuid, pattern text, keys jsonb, triggered_by text,"
                        + " timestamp timestamptz, request_id text, latency_ms int, created_at timestamptz,"
                        + " region text NOT NULL);"
                        + " ALTER TABLE invalidation_audit OWNER TO freshet"
                        + " | public.invalidation_audit has columns of its own | ALTER COLUMN region DROP NOT NULL;"
            })
    void columns_that_freshet_would_have_to_fill_are_refused(String sql, String what, String help) throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        new Adoption().check(source);
        database.runAsSuperuser(sql);
        String message = assertThrows(CannotStart.class, () -> new Adoption().check(source))
                .getMessage();
        assertTrue(message.contains(what) && message.contains(help), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ALTER TABLE cache_invalidation_queue ADD CONSTRAINT old CHECK (tag LIKE 'course:%')"
                        + " | DROP CONSTRAINT \"old\";",
                "ALTER TABLE cache_invalidation_queue ADD CONSTRAINT few CHECK (invalidation_count < 1)"
                        + " | DROP CONSTRAINT \"few\";",
                "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                        + " CREATE TRIGGER nothing BEFORE INSERT ON cache_invalidation_queue"
                        + " FOR EACH ROW EXECUTE FUNCTION nothing() | drops them",
                "ALTER TABLE invalidation_audit ADD CONSTRAINT once UNIQUE (request_id) | DROP CONSTRAINT \"once\";",
                "ALTER TABLE invalidation_audit ADD CONSTRAINT asked CHECK (request_id IS NOT NULL)"
                        + " | DROP CONSTRAINT \"asked\";",
                "ALTER TABLE background_job_status ADD CONSTRAINT s CHECK (status <> 'failed') | DROP CONSTRAINT"
                        + " \"s\";",
                "ALTER TABLE cache_entries ADD CONSTRAINT filled CHECK (value IS NOT NULL) | DROP CONSTRAINT"
                        + " \"filled\";"
            })
    void a_table_that_does_not_accept_freshets_rows_is_refused(String sql, String said) throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        new Schema(source).migrate();
        new Adoption().tryOut(source);
        database.run(sql);
        String message = assertThrows(CannotStart.class, () -> new Adoption().tryOut(source))
                .getMessage();
        assertTrue(message.contains(said), message);
        assertEquals(
                List.of("0", "0", "0", "0"),
                database.list("SELECT count(*) FROM cache_invalidation_queue"
                        + " UNION ALL SELECT count(*) FROM invalidation_audit"
                        + " UNION ALL SELECT count(*) FROM background_job_status"
                        + " UNION ALL SELECT count(*) FROM cache_entries"));
    }

    @Test
    void rows_processed_before_the_adoption_are_not_handed_over_again() throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket));"
                + "INSERT INTO cache_invalidation_queue VALUES ('done', now(), 3, now()), ('open', now(), 2, NULL)");
        new Schema(source).migrate();
        assertEquals(
                List.of("done 3", "open 0"),
                database.list("SELECT tag || ' ' || handed_count FROM cache_invalidation_queue ORDER BY tag"));
        assertEquals("0", database.one("SELECT count(*) FROM freshet.counter"));
    }

    /** The names that Freshet's own indexes had, and that others hit upon, too. */
    @Test
    void adopted_tables_may_have_indexes_of_any_natural_name() throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket))");
        database.run(AUDIT + ");" + JOBS + ");" + ENTRIES + ")");
        Map<String, List<String>> names = Map.of(
                "cache_invalidation_queue (tag)", List.of("to_hand_over", "to_hand_over_at"),
                "invalidation_audit (id)", List.of("newest", "listed", "request", "pattern", "xid"),
                "background_job_status (id)", List.of("open", "newest"),
                "cache_entries (cache_key)", List.of("end", "tags", "expired", "invalidated", "begin", "middle"));
        for (Map.Entry<String, List<String>> of : names.entrySet()) {
            for (String name : of.getValue()) {
                database.run("CREATE INDEX " + of.getKey().split(" ")[0] + "_" + name + " ON public." + of.getKey());
            }
        }
        new Adoption().check(source);
        new Schema(source).migrate();
        new Adoption().tryOut(source);
    }

    @Test
    void freshets_indexes_on_tables_that_may_be_adopted_have_names_of_its_own() throws Exception {
        new Schema(source).migrate();
        assertEquals(List.of(), database.list("""
                SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
                WHERE relname IN ('cache_invalidation_queue', 'invalidation_audit', 'background_job_status',
                                  'cache_entries')
                  AND NOT indisprimary AND indexrelid::regclass::text NOT LIKE 'freshet\\_%'"""));
    }

    @Test
    void a_registry_whose_columns_are_all_required_is_adopted() throws Exception {
        database.run(ENTRIES + "); ALTER TABLE cache_entries ALTER tags SET NOT NULL, ALTER value SET NOT NULL,"
                + " ALTER expires_at SET NOT NULL");
        new Adoption().check(source);
        new Schema(source).migrate();
        new Adoption().tryOut(source);
    }

    /**
     * Old triggers keep working while the table is adopted: what they touch between V1 and V2 is handed over once more.
     */
    @Test
    void a_processed_row_touched_while_the_table_is_adopted_is_handed_over() throws Exception {
        database.run(QUEUE + ", PRIMARY KEY (tag, time_bucket));"
                + "INSERT INTO cache_invalidation_queue"
                + " VALUES ('done', now(), 3, now()), ('touched', now(), 2, now())");
        Flyway.configure()
                .dataSource(source)
                .locations("classpath:sql/migrations")
                .defaultSchema("freshet")
                .schemas("freshet")
                .createSchemas(true)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .target("1")
                .load()
                .migrate();
        database.run("UPDATE cache_invalidation_queue SET invalidation_count = invalidation_count + 1"
                + " WHERE tag = 'touched'");
        new Schema(source).migrate();
        assertEquals(
                List.of("done 3 of 3", "touched 0 of 3"),
                database.list("SELECT tag || ' ' || handed_count || ' of ' || invalidation_count FROM"
                        + " cache_invalidation_queue ORDER BY tag"));
    }

    @Test
    void row_level_security_that_hides_nothing_from_the_owner_is_kept() throws Exception {
        database.run(QUEUE + ", UNIQUE (time_bucket, tag))");
        database.run("ALTER TABLE cache_invalidation_queue ENABLE ROW LEVEL SECURITY");
        new Adoption().check(source);
    }

    private static boolean waits(Connection observer) {
        try {
            return !TestDatabase.list(observer, "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
                    .isEmpty();
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }
}
