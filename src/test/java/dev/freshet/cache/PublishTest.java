package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.RunningRoutes;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.apache.camel.Processor;
import org.apache.camel.builder.AdviceWith;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** From committed publications to the topic cache-invalidate. */
class PublishTest {
    private static final List<String> FILES = List.of("cache.camel.yaml", "errors.camel.yaml");
    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
    }

    private static final String INVALIDATE =
            "SELECT told FROM freshet.invalidate(ARRAY['many77'], '', ?, '{}', 'test', 1, NULL)";

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    @Test
    void publications_of_a_dead_process_are_sent_and_rolled_back_ones_are_not() throws Exception {
        try (Connection listener = listener();
                Connection application = database.connect()) {
            database.run("SELECT cache_invalidate_keys(ARRAY['left'])");
            application.setAutoCommit(false);
            TestDatabase.run(application, "SELECT cache_invalidate_keys(ARRAY['rolled-back'])");
            try (RunningRoutes routes = new RunningRoutes(database, FILES)) {
                assertEquals(List.of("left"), keys(await(listener, 1)));
                application.rollback();
                database.run("SELECT cache_invalidate_keys(ARRAY['next'])");
                assertEquals(List.of("next"), keys(await(listener, 1)));
                Eventually.is(java.time.Duration.ofSeconds(20), () -> count() == 0, () -> "nothing left to publish");
            }
        }
    }

    /** A plan may be kept for a long time, so one that reads the whole registry would do so for a long time. */
    @Test
    void one_key_is_looked_up_although_the_registry_was_almost_empty_at_planning() throws Exception {
        try (Connection c = database.connect()) {
            for (int rows : List.of(0, 1, 2, 3, 5, 10, 40, 200)) {
                TestDatabase.run(
                        c,
                        "DELETE FROM cache_entries; INSERT INTO cache_entries (cache_key) SELECT 'few' || n FROM"
                                + " generate_series(1, "
                                + rows + ") n; ANALYZE cache_entries");
                TestDatabase.list(c, INVALIDATE, "first-" + rows);
                TestDatabase.run(
                        c, "INSERT INTO cache_entries (cache_key) SELECT 'many' || n FROM generate_series(1, 20000) n");
                c.setAutoCommit(false);
                long before = read(c);
                TestDatabase.list(c, INVALIDATE, "second-" + rows);
                long read = read(c) - before;
                c.setAutoCommit(true);
                assertTrue(read > 0 && read < 1_000, rows + " rows at first, and of 20,000 were read: " + read);
            }
        }
    }

    /**
     * The number of rows that this connection has read from the registry and its indexes since it last reported, which
     * it does between transactions only.
     */
    private static long read(Connection c) throws SQLException {
        return Long.parseLong(TestDatabase.list(
                        c,
                        "SELECT pg_stat_get_xact_tuples_returned(t) + pg_stat_get_xact_tuples_fetched(t) + (SELECT"
                                + " sum(pg_stat_get_xact_tuples_fetched(indexrelid) +"
                                + " pg_stat_get_xact_tuples_returned(indexrelid))"
                                + " FROM pg_index WHERE indrelid = t) FROM"
                                + " (SELECT 'public.cache_entries'::regclass::oid AS t) _")
                .get(0));
    }

    @Test
    void an_event_is_sent_once_and_whole_however_many_relays_there_are() throws Exception {
        try (Connection listener = listener();
                RunningRoutes one = new RunningRoutes(database, FILES);
                RunningRoutes other = new RunningRoutes(database, FILES)) {
            for (int i = 0; i < 50; i++) {
                database.run("SELECT cache_invalidate_keys(ARRAY(SELECT 'k" + i
                        + "-' || j FROM generate_series(1, 20) j)) FROM generate_series(1, 1)");
            }
            Eventually.is(java.time.Duration.ofSeconds(20), () -> count() == 0, () -> "nothing left to publish");
            List<JsonNode> events = await(listener, 50);
            assertEquals(1000, keys(events).stream().distinct().count());
            assertEquals(
                    50,
                    events.stream()
                            .map(event -> event.get("id").asText())
                            .distinct()
                            .count());
            assertEquals(50, events.size() + await(listener, 0).size());
        }
    }

    @Test
    void an_event_that_the_broker_refuses_waits_and_holds_up_no_other() throws Exception {
        List<String> sent = new CopyOnWriteArrayList<>();
        try (RunningRoutes routes = new RunningRoutes(database, FILES)) {
            Processor broker = exchange -> {
                String event = exchange.getMessage().getBody(String.class);
                if (event.contains("poison")) {
                    throw new IllegalStateException("the broker does not like it");
                }
                sent.add(event);
            };
            AdviceWith.adviceWith(
                    routes.context(),
                    "publish",
                    advice -> advice.weaveByToUri("bean:notifyTopic*").replace().process(broker));
            try (Connection together = database.connect()) {
                together.setAutoCommit(false);
                for (String key : List.of("before", "poison", "after")) {
                    TestDatabase.run(together, "SELECT cache_invalidate_keys(ARRAY['" + key + "'])");
                }
                together.commit();
            }
            Eventually.is(
                    java.time.Duration.ofSeconds(20),
                    () -> sent.stream().anyMatch(event -> event.contains("after")),
                    () -> sent.toString());
            assertTrue(sent.stream().anyMatch(event -> event.contains("before")), sent::toString);
            Eventually.is(
                    java.time.Duration.ofSeconds(20),
                    () -> list("SELECT keys ->> 0 FROM freshet.publication WHERE attempts >= 2")
                            .equals(List.of("poison")),
                    () -> "it is tried again");
        }
    }

    @Test
    void the_database_allows_a_slow_broker_more_time_than_anybody_else() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (RunningRoutes routes = new RunningRoutes(database, FILES)) {
            DataSource pool = routes.context().getRegistry().lookupByNameAndType("dataSource", DataSource.class);
            Processor broker = exchange -> {
                Connection sending = DataSourceUtils.getConnection(pool);
                seen.addAll(TestDatabase.list(sending, "SHOW idle_in_transaction_session_timeout"));
                DataSourceUtils.releaseConnection(sending, pool);
            };
            AdviceWith.adviceWith(
                    routes.context(),
                    "publish",
                    advice -> advice.weaveByToUri("bean:notifyTopic*").replace().process(broker));
            database.run("SELECT cache_invalidate_keys(ARRAY['slow'])");
            Eventually.is(java.time.Duration.ofSeconds(20), () -> !seen.isEmpty(), () -> "nothing was sent");
            assertEquals("1min", seen.get(0));
        }
    }

    @Test
    void a_publication_that_cannot_be_read_holds_up_no_other() throws Exception {
        database.run("INSERT INTO freshet.publication (keys, triggered_by, request_id, published_at)"
                + " VALUES ('{\"not\": \"a list\"}', 'test', 'unreadable', now())");
        try (Connection listener = listener();
                RunningRoutes routes = new RunningRoutes(database, FILES)) {
            database.run("SELECT cache_invalidate_keys(ARRAY['after'])");
            assertEquals(List.of("after"), keys(await(listener, 1)));
            Eventually.is(
                    java.time.Duration.ofSeconds(20),
                    () -> list("SELECT request_id FROM freshet.publication WHERE attempts >= 2")
                            .equals(List.of("unreadable")),
                    () -> "it is tried again");
        }
    }

    @Test
    void control_characters_and_long_texts_are_sent_like_any_other() throws Exception {
        String odd = "E'\\x01' || repeat(E'\\x02', 1022) || E'\\n'";
        database.run("SELECT cache_invalidate_keys(ARRAY[" + odd + ", 'after'], repeat(E'\\x03', 9000))");
        try (Connection listener = listener();
                RunningRoutes routes = new RunningRoutes(database, FILES)) {
            Eventually.is(java.time.Duration.ofSeconds(20), () -> count() == 0, () -> "nothing left to publish");
            List<JsonNode> events = await(listener, 1);
            assertEquals(List.of("\u0001" + "\u0002".repeat(1022) + "\n", "after"), keys(events));
        }
    }

    @Test
    void a_change_of_a_watched_row_removes_its_entries_even_those_locked_for_a_while() throws Exception {
        database.run(
                "CREATE TABLE public.goods (id int PRIMARY KEY, v int); INSERT INTO public.goods VALUES (1, 0), (2,"
                        + " 0); SELECT cache_invalidation_watch('public.goods', ARRAY['goods:{id}']);SELECT"
                        + " cache_entry_put('page/1', '1', ARRAY['goods:1']), cache_entry_put('page/1/b', '1',"
                        + " ARRAY['goods:1', 'x']), cache_entry_put('page/2', '1', ARRAY['goods:2'])");
        try (Connection listener = listener();
                Connection holder = database.connect();
                RunningRoutes routes = new RunningRoutes(
                        database, List.of("cache.camel.yaml", "queue.camel.yaml", "errors.camel.yaml"))) {
            holder.setAutoCommit(false);
            TestDatabase.run(holder, "UPDATE cache_entries SET value = '2' WHERE cache_key = 'page/1/b'");
            database.run("UPDATE public.goods SET v = 1 WHERE id = 1");
            assertEquals(List.of("page/1"), keys(await(listener, 1)));
            holder.commit();
            assertEquals(List.of("page/1/b"), keys(await(listener, 1)));
            assertEquals(List.of("page/2"), list("SELECT cache_key FROM cache_entries"));
            Eventually.is(
                    java.time.Duration.ofSeconds(20),
                    () -> list("SELECT tag FROM freshet.registry_due").isEmpty(),
                    () -> "nothing due any more");

            database.run("SELECT cache_invalidate_tags(ARRAY['goods:2'])");
            database.run("SELECT cache_entry_put('page/2', '2', ARRAY['goods:2'])");
            assertEquals(List.of("page/2", "goods:2"), keys(await(listener, 1)));
            database.run(
                    "SELECT cache_entry_put('page/1', '2', ARRAY['goods:1']); UPDATE public.goods SET v = 2 WHERE id ="
                            + " 1");
            assertEquals(List.of("page/1"), keys(await(listener, 1)));
            assertEquals(
                    List.of("page/2"),
                    list("SELECT cache_key FROM cache_entries"),
                    "filled after it was invalidated, it is fresh and stays");
        }
    }

    @Test
    void the_topic_is_one_uri_in_one_route_file() throws Exception {
        List<String> where = new ArrayList<>();
        try (var files = Files.walk(Path.of("routes"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.readString(file)
                        .lines()
                        .filter(line -> line.contains("notifyTopic"))
                        .forEach(line -> where.add(file.getFileName() + ":" + line.strip()));
            }
        }
        assertEquals(List.of("cache.camel.yaml:uri: bean:notifyTopic?method=publish"), where);
    }

    private long count() {
        return Long.parseLong(list("SELECT count(*) FROM freshet.publication").get(0));
    }

    private List<String> list(String sql) {
        try {
            return database.list(sql);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private Connection listener() throws SQLException {
        Connection listener = database.connect();
        TestDatabase.run(listener, "LISTEN \"cache-invalidate\"");
        return listener;
    }

    private static List<JsonNode> await(Connection listener, int events) throws SQLException {
        List<JsonNode> got = new ArrayList<>();
        Eventually.is(
                java.time.Duration.ofSeconds(20),
                () -> {
                    try {
                        var notifications = listener.unwrap(PGConnection.class).getNotifications(200);
                        for (int i = 0; notifications != null && i < notifications.length; i++) {
                            got.add(new ObjectMapper().readTree(notifications[i].getParameter()));
                        }
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                    return got.size() >= events;
                },
                () -> events + " events, not " + got);
        return got;
    }

    private static List<String> keys(List<JsonNode> events) {
        List<String> keys = new ArrayList<>();
        events.forEach(event -> event.get("matched_keys").forEach(key -> keys.add(key.asText())));
        return keys;
    }
}
