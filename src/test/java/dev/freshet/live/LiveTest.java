package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.database.Transactions;
import dev.freshet.observe.LiveMeters;
import dev.freshet.source.WayIn;
import dev.freshet.testing.Hold;
import dev.freshet.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** From a committed row to the published order and the notifications, with relays that the tests run themselves. */
class LiveTest {
    private static final String TABLES = """
        CREATE TABLE events (id %1$s PRIMARY KEY, eid text);
        CREATE TABLE art (id %1$s PRIMARY KEY, event_id %1$s, round int, easel int, status text, description text,
            price numeric);
        CREATE TABLE votes (id int GENERATED ALWAYS AS IDENTITY, art_id %1$s);
        CREATE TABLE bids (id int GENERATED ALWAYS AS IDENTITY, art_id %1$s, amount numeric);
        CREATE TABLE art_media (id int GENERATED ALWAYS AS IDENTITY, artwork_id %1$s, url text);
        """;
    private static final ObjectMapper JSON = new ObjectMapper();

    private TestDatabase database;
    private Connection user;
    private Relay relay;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.empty();
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET search_path = public");
        database.migrate();
        user = database.connect();
        relay = relay(0);
    }

    @AfterEach
    void close() throws SQLException {
        user.close();
        database.close();
    }

    private Relay relay(int limit) {
        return new Relay(new Transactions(database.pool(2)), new LiveMeters(new SimpleMeterRegistry()), limit);
    }

    private void auction() throws SQLException {
        auction("int");
        run("INSERT INTO events VALUES (1, 'AB3028'), (2, 'ab3028'); INSERT INTO art VALUES (10, 1, 2, 7,"
                + " 'painting', '', 1), (11, 1, 2, 8, 'painting', '', 1), (20, 2, 1, 1, 'painting', '', 1)");
    }

    private void auction(String idType) throws SQLException {
        run(TABLES.formatted(idType));
        run("SELECT install_live_events()");
    }

    private void run(String sql) throws SQLException {
        TestDatabase.run(user, sql);
    }

    /** The payloads that the relay publishes now. */
    private List<JsonNode> published() throws Exception {
        long before = Long.parseLong(database.one("SELECT last_id FROM freshet.live_relay"));
        relay.take();
        List<JsonNode> payloads = new ArrayList<>();
        for (String payload :
                database.list("SELECT payload FROM freshet.live_event WHERE id > ? ORDER BY id", before)) {
            payloads.add(JSON.readTree(payload));
        }
        return payloads;
    }

    private List<String> types() throws Exception {
        return published().stream().map(payload -> payload.get("type").asText()).toList();
    }

    /** The triggers write only what PostgreSQL cannot tell otherwise; the names of the rest are in Java. */
    @Test
    void every_type_has_the_table_and_the_operation_of_its_trigger() throws Exception {
        List<String> types = new ArrayList<>();
        for (String row : database.list("SELECT concat_ws(' ', t->>'type', t->>'relation', t->>'event')"
                + " FROM jsonb_array_elements(freshet.live_types()) t WHERE t->>'type' IS NOT NULL")) {
            String[] type = row.split(" ");
            types.add(type[0]);
            Change change = new Change(type[0], "AB3028", null, null, null, 1, null);
            assertEquals(type[1], change.table(), row);
            assertTrue(row.contains(change.doing()), row + ": " + change.doing());
        }
        assertEquals(List.of("art_updated", "vote_cast", "bid_placed", "media_updated"), types);
    }

    /**
     * Everything sent to this listener until now: notifications arrive in the order of their commits, and the test's
     * own comes last.
     */
    private List<PGNotification> heard(Connection listener) throws SQLException {
        TestDatabase.run(listener, "LISTEN heard_all");
        TestDatabase.run(listener, "NOTIFY heard_all");
        List<PGNotification> all = new ArrayList<>();
        while (true) {
            PGNotification[] some = listener.unwrap(PGConnection.class).getNotifications(10_000);
            assertTrue(some != null && some.length > 0, "its own notification does not come");
            for (PGNotification notification : some) {
                if (notification.getName().equals("heard_all")) {
                    return all;
                }
                all.add(notification);
            }
        }
    }

    private String skipped() throws SQLException {
        List<String> counted = database.list("SELECT value FROM freshet.counter WHERE name = 'live_skipped'");
        return counted.isEmpty() ? "0" : counted.get(0);
    }

    // what is sent

    @Test
    void payloads_have_the_endpoints_and_members_of_the_contract() throws Exception {
        auction();
        run("UPDATE art SET status = 'sold' WHERE id = 10");
        run("INSERT INTO votes (art_id) VALUES (10)");
        run("INSERT INTO bids (art_id, amount) VALUES (10, 150.50)");
        run("INSERT INTO art_media (artwork_id, url) VALUES (10, 'x')");
        run("UPDATE art_media SET url = 'y'");
        run("SELECT manual_cache_invalidation('AB3028'); SELECT manual_cache_invalidation('AB3028',"
                + " '/live/event/AB3028-1-1/bids')");
        List<String> seen = published().stream()
                .map(payload -> {
                    assertTrue(
                            Math.abs(payload.get("timestamp").asDouble() * 1000 - System.currentTimeMillis()) < 60_000,
                            payload::toString);
                    return ((com.fasterxml.jackson.databind.node.ObjectNode) payload)
                            .without("timestamp")
                            .toString();
                })
                .toList();
        assertEquals(
                List.of(
                        "{'type':'art_updated','event_eid':'AB3028','endpoints':['/live/event/AB3028',"
                                + "'/live/event/AB3028/media'],'art_id':10,'round':2,'easel':7}",
                        "{'type':'vote_cast','event_eid':'AB3028',"
                                + "'endpoints':['/live/event/AB3028'],'art_id':10,'round':2,'easel':7}",
                        "{'type':'bid_placed','event_eid':'AB3028','endpoints':['/live/event/AB3028',"
                                + "'/live/event/AB3028-2-7/bids'],'art_id':10,'round':2,'easel':7,'amount':150.5}",
                        "{'type':'media_updated','event_eid':'AB3028',"
                                + "'endpoints':['/live/event/AB3028/media'],'artwork_id':10}",
                        "{'type':'media_updated','event_eid':'AB3028',"
                                + "'endpoints':['/live/event/AB3028/media'],'artwork_id':10}",
                        "{'type':'manual_invalidation','event_eid':'AB3028',"
                                + "'endpoints':['/live/event/AB3028','/live/event/AB3028/media']}",
                        "{'type':'manual_invalidation','event_eid':'AB3028',"
                                + "'endpoints':['/live/event/AB3028-1-1/bids']}"),
                seen.stream().map(text -> text.replace('"', '\'')).toList());
    }

    @Test
    void only_status_and_description_of_an_artwork_count() throws Exception {
        auction();
        run("UPDATE art SET price = 5; UPDATE art SET status = status; UPDATE art SET round = 3 WHERE id = 11");
        assertEquals(List.of(), types());
        run("UPDATE art SET description = 'x' WHERE id = 10; UPDATE art SET description = NULL WHERE id = 10;"
                + " UPDATE art SET status = 'sold', price = 2 WHERE id IN (10, 20)");
        assertEquals(List.of("art_updated", "art_updated", "art_updated", "art_updated"), types());
        assertEquals(
                List.of("AB3028", "AB3028", "AB3028", "ab3028"),
                database.list("SELECT event_eid FROM freshet.live_event ORDER BY event_eid COLLATE \"C\", id"));
        run("DELETE FROM art WHERE id = 11; INSERT INTO art VALUES (11, 1, 2, 8, 'new', 'x')");
        assertEquals(List.of(), types());
    }

    @ParameterizedTest
    @ValueSource(strings = {"int", "bigint", "uuid", "text", "varchar(40)"})
    void ids_may_be_of_any_common_type(String type) throws Exception {
        auction(type);
        String id = type.equals("uuid")
                ? "'7f1c0000-0000-0000-0000-00000000000%d'"
                : type.contains("int") ? "%d" : "'id-%d'";
        String event = id.formatted(1);
        String art = id.formatted(2);
        run("INSERT INTO events VALUES (" + event + ", 'E.1-a_b'); INSERT INTO art VALUES (" + art + ", " + event
                + ", 1, 2)");
        run("INSERT INTO votes (art_id) VALUES (" + art + "); INSERT INTO bids (art_id, amount) VALUES (" + art
                + ", 3); INSERT INTO art_media (artwork_id) VALUES (" + art + ");" + "UPDATE art SET status = 'x'");
        List<JsonNode> all = published();
        assertEquals(4, all.size());
        all.forEach(payload -> assertEquals(
                art.replace("'", ""),
                payload.path(payload.has("art_id") ? "art_id" : "artwork_id").asText()));
    }

    @Test
    void references_of_another_type_are_compared_as_text() throws Exception {
        run(TABLES.formatted("uuid")
                + "ALTER TABLE votes ALTER art_id TYPE text; ALTER TABLE art_media ALTER artwork_id TYPE text;"
                + " SELECT install_live_events()");
        run("INSERT INTO events VALUES ('7f1c0000-0000-0000-0000-000000000001', 'E'); INSERT INTO art VALUES"
                + " ('7f1c0000-0000-0000-0000-000000000002', '7f1c0000-0000-0000-0000-000000000001', 1, 2)");
        run("INSERT INTO votes (art_id) VALUES ('7f1c0000-0000-0000-0000-000000000002'); INSERT INTO art_media"
                + " (artwork_id) VALUES ('7f1c0000-0000-0000-0000-000000000002')");
        assertEquals(List.of("vote_cast", "media_updated"), types());
        run("INSERT INTO votes (art_id) VALUES ('no uuid')");
        assertEquals(List.of(), types());
        assertEquals("1", skipped());
    }

    @Test
    void a_statement_that_changes_many_rows_makes_an_event_for_each() throws Exception {
        auction();
        run("INSERT INTO bids (art_id, amount) SELECT 10, n FROM generate_series(1, 500) n");
        assertEquals(500, published().size());
        run("INSERT INTO bids (art_id, amount) SELECT 10, n FROM generate_series(1, 5000) n");
        int all = 0;
        for (int batch = published().size(); batch > 0; batch = published().size()) {
            all += batch;
        }
        assertEquals(5000, all);
        assertEquals(
                List.of("t"),
                database.list("SELECT count(*) = max(id) AND max(id) = (SELECT last_id FROM freshet.live_relay) FROM"
                        + " freshet.live_event"));
    }

    @Test
    void a_plain_listen_receives_each_event_once_on_channels_that_keep_their_case() throws Exception {
        auction();
        try (Connection listener = database.connect();
                Connection folded = database.connect()) {
            TestDatabase.run(listener, "LISTEN \"cache_invalidate_AB3028\"; LISTEN global_cache_stats");
            TestDatabase.run(folded, "LISTEN cache_invalidate_AB3028");
            // one by one, since changes of one event in one microsecond would be a single notification on
            // global_cache_stats
            run("INSERT INTO votes (art_id) VALUES (10); INSERT INTO votes (art_id) VALUES (11); INSERT INTO votes"
                    + " (art_id) VALUES (20)");
            assertEquals(List.of(), heard(listener), "nothing in the user's own transaction");
            relay.take();
            relay(0).take();
            List<PGNotification> heard = heard(listener);
            assertEquals(
                    List.of(
                            "cache_invalidate_AB3028",
                            "cache_invalidate_AB3028",
                            "global_cache_stats",
                            "global_cache_stats",
                            "global_cache_stats"),
                    heard.stream().map(PGNotification::getName).sorted().toList());
            assertEquals(
                    database.list("SELECT payload FROM freshet.live_event WHERE event_eid = 'AB3028' ORDER BY id"),
                    heard.stream()
                            .filter(n -> n.getName().startsWith("cache_"))
                            .map(PGNotification::getParameter)
                            .toList());
            JsonNode counted = JSON.readTree(heard.stream()
                    .filter(n -> n.getName().startsWith("global"))
                    .findFirst()
                    .orElseThrow()
                    .getParameter());
            assertEquals(
                    "AB3028 votes INSERT",
                    counted.get("event_eid").asText()
                            + ' '
                            + counted.get("table").asText()
                            + ' '
                            + counted.get("operation").asText());
            assertTrue(counted.get("timestamp").isNumber());
            assertEquals(
                    List.of("cache_invalidate_ab3028"),
                    heard(folded).stream().map(PGNotification::getName).toList(),
                    "an unquoted LISTEN folds to lower case");
        }
    }

    @Test
    void the_statistics_count_what_was_sent() throws Exception {
        auction();
        run("INSERT INTO votes (art_id) VALUES (10), (10), (20); INSERT INTO art_media (artwork_id) VALUES (10);"
                + " UPDATE art_media SET url = 'x'");
        relay.take();
        assertEquals(
                List.of(
                        "AB3028 art_media INSERT 1",
                        "AB3028 art_media UPDATE 1",
                        "AB3028 votes INSERT 2",
                        "ab3028 votes INSERT 1"),
                database.list("SELECT concat_ws(' ', event_eid, table_name, operation, count) FROM"
                        + " get_cache_invalidation_stats(NULL, 5) ORDER BY event_eid COLLATE \"C\", table_name,"
                        + " operation"));
        assertEquals(
                List.of("1 t"),
                database.list("SELECT concat_ws(' ', count, last_invalidation > now() - interval '1 minute') FROM"
                        + " get_cache_invalidation_stats('ab3028', 5)"));
        assertEquals(List.of(), database.list("SELECT * FROM get_cache_invalidation_stats('AB3028', 0)"));
    }

    // unusual values

    @Test
    void a_change_that_cannot_be_published_is_skipped_and_counted_and_never_an_error() throws Exception {
        auction();
        run("INSERT INTO events VALUES (3, NULL), (4, ''), (5, 'a/b'), (6, 'Ä'), (7, repeat('x', 41)), (8, E'a\\n"
                + "b'), (9, repeat('x', 40)), (12, repeat('y', 100000));INSERT INTO art SELECT 100 + id, id, 1, 1"
                + " FROM events WHERE id > 2; INSERT INTO art VALUES (200, NULL), (201, 999)");
        run("INSERT INTO votes (art_id) SELECT id FROM art WHERE id >= 100");
        run("INSERT INTO votes (art_id) VALUES (NULL), (12345); INSERT INTO bids (art_id, amount) VALUES (NULL,"
                + " NULL); INSERT INTO art_media (artwork_id) VALUES (NULL); UPDATE art SET status = 'x' WHERE id"
                + " = 200");
        List<JsonNode> sent = published();
        assertEquals(
                List.of("x".repeat(40)),
                sent.stream().map(payload -> payload.get("event_eid").asText()).toList());
        assertEquals("14", skipped());
        assertEquals("0", database.one("SELECT count(*) FROM freshet.live_outbox"));
    }

    @Test
    void unusual_rounds_easels_and_amounts_are_published_as_they_are() throws Exception {
        run("CREATE TABLE events (id int, eid varchar(20)); CREATE TABLE art (id int, event_id int, round text,"
                + " easel jsonb, status int, description json);CREATE TABLE bids (art_id int, amount double"
                + " precision); SELECT install_live_events()");
        run("INSERT INTO events VALUES (1, 'E'); INSERT INTO art VALUES (1, 1, NULL, '4', 1, '{}'), (2, 1,"
                + " E'final\\n"
                + "\"1\"', '\"a\\u2028b\"', 1, '{}'), (3, 1, repeat('r', 50000), '1', 1, '{}')");
        run("INSERT INTO bids VALUES (1, 'NaN'), (2, '1e300'), (3, 1)");
        run("UPDATE art SET description = '[]' WHERE id = 2; UPDATE art SET description = '[]' WHERE id = 2");
        List<JsonNode> sent = published();
        assertEquals(
                "[\"/live/event/E\"] NaN",
                sent.get(0).get("endpoints") + " " + sent.get(0).get("amount").asText());
        assertEquals(
                "/live/event/E-final\n\"1\"-a\u2028b/bids",
                sent.get(1).get("endpoints").get(1).asText());
        assertEquals(1e300, sent.get(1).get("amount").asDouble());
        assertTrue(
                sent.get(2).get("truncated").asBoolean()
                        && sent.get(2).toString().length() < 8000,
                "too long for a NOTIFY: without its details");
        assertEquals(4, sent.size());
        assertEquals("t", database.one("SELECT bool_and(payload !~ '[\\r\\n]') FROM freshet.live_event"));
    }

    @Test
    void a_missing_column_raises_a_warning_and_the_write_succeeds() throws Exception {
        auction();
        run("ALTER TABLE art DROP COLUMN easel");
        List<String> warnings = WayIn.warnings(user, "INSERT INTO votes (art_id) VALUES (10)");
        assertTrue(warnings.toString().contains("easel"), warnings::toString);
        assertEquals("1", database.one("SELECT count(*) FROM votes"));
        relay.take();
        assertEquals("1", skipped());
    }

    @Test
    void writes_succeed_when_freshets_schema_is_gone() throws Exception {
        auction();
        run("DROP SCHEMA freshet CASCADE");
        run("INSERT INTO votes (art_id) VALUES (10); UPDATE art SET status = 'x'; INSERT INTO art_media"
                + " (artwork_id) VALUES (10)");
        assertEquals("1", database.one("SELECT count(*) FROM votes"));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "null",
            value = {"null,null", "'',null", "a b,null", "a/b,null", "E,''"})
    void a_manual_invalidation_with_wrong_arguments_is_an_error(String eid, String endpoint) throws Exception {
        try (var call = user.prepareStatement("SELECT manual_cache_invalidation(?, ?)")) {
            call.setString(1, eid);
            call.setString(2, endpoint);
            assertTrue(
                    assertThrows(SQLException.class, call::execute).getMessage().contains("characters")
                            || eid == null
                            || !eid.equals("E"));
        }
        assertEquals(List.of(), types());
    }

    // transactions

    @Test
    void a_rolled_back_change_is_never_sent() throws Exception {
        auction();
        run("BEGIN; INSERT INTO votes (art_id) VALUES (10); SAVEPOINT s; INSERT INTO bids (art_id, amount) VALUES"
                + " (10, 1); ROLLBACK TO s; INSERT INTO art_media (artwork_id) VALUES (10)");
        assertEquals(List.of(), types());
        run("COMMIT; BEGIN; INSERT INTO votes (art_id) VALUES (10); ROLLBACK");
        assertEquals(List.of("vote_cast", "media_updated"), types());
    }

    @Test
    void a_late_commit_gets_a_late_id() throws Exception {
        auction();
        try (Connection first = database.connect();
                Connection second = database.connect()) {
            TestDatabase.run(first, "BEGIN; INSERT INTO bids (art_id, amount) VALUES (10, 1)");
            TestDatabase.run(second, "BEGIN; INSERT INTO bids (art_id, amount) VALUES (10, 2)");
            TestDatabase.run(second, "COMMIT");
            assertEquals(
                    List.of(2),
                    published().stream()
                            .map(payload -> payload.get("amount").asInt())
                            .toList());
            TestDatabase.run(first, "COMMIT");
            assertEquals(
                    List.of(1),
                    published().stream()
                            .map(payload -> payload.get("amount").asInt())
                            .toList());
        }
        assertEquals(List.of("1", "2"), database.list("SELECT id FROM freshet.live_event ORDER BY id"));
    }

    @Test
    void writers_wait_for_nobody() throws Exception {
        auction();
        try (Connection one = database.connect();
                Connection reading = database.connect();
                Connection relaying = database.connect()) {
            TestDatabase.run(
                    one,
                    "BEGIN; INSERT INTO bids (art_id, amount) VALUES (10, 1); UPDATE art SET status = 'sold' WHERE id"
                            + " = 11; INSERT INTO art_media (artwork_id) VALUES (10)");
            TestDatabase.run(
                    relaying, "BEGIN; SELECT * FROM freshet.live_relay FOR UPDATE; DELETE FROM freshet.live_outbox");
            TestDatabase.run(
                    reading,
                    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM freshet.live_outbox, freshet.live_event");
            run("SET lock_timeout = '100ms'; INSERT INTO bids (art_id, amount) VALUES (10, 2); INSERT INTO votes"
                    + " (art_id) VALUES (10); UPDATE art SET status = 'sold' WHERE id = 10; INSERT INTO art_media"
                    + " (artwork_id) VALUES (10)");
            assertEquals("0", database.one("SELECT count(*) FROM pg_locks WHERE NOT granted"));
            assertEquals(0, relay.take(), "somebody else relays");
            TestDatabase.run(relaying, "ROLLBACK");
            assertEquals(4, published().size());
            TestDatabase.run(one, "COMMIT");
            assertEquals(3, published().size());
        }
    }

    // the relay

    @Test
    void two_relays_publish_everything_once_and_without_gaps() throws Exception {
        auction();
        Relay other = relay(0);
        CompletableFuture<Void> writes = CompletableFuture.runAsync(() -> {
            try (Connection writer = database.connect()) {
                for (int i = 0; i < 400; i++) {
                    TestDatabase.run(writer, "INSERT INTO bids (art_id, amount) VALUES (10, " + i + ")");
                }
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        CompletableFuture<Integer> beside = CompletableFuture.supplyAsync(() -> drain(other, writes));
        int mine = drain(relay, writes);
        assertEquals(400, mine + beside.join() + relay.take());
        assertEquals(
                "400 400 400",
                database.one("SELECT concat_ws(' ', count(*), max(id), count(DISTINCT payload::json ->> 'amount')) FROM"
                        + " freshet.live_event"));
        assertEquals(
                "t",
                database.one("SELECT bool_and((payload::json ->> 'amount')::int = id - 1) FROM freshet.live_event"));
    }

    private static int drain(Relay relay, CompletableFuture<Void> writes) {
        try {
            int published = 0;
            while (!writes.isDone()) {
                published += relay.take();
            }
            return published + relay.take();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_relay_that_dies_midway_has_done_nothing() throws Exception {
        auction();
        run("INSERT INTO votes (art_id) VALUES (10)");
        try (Connection listener = database.connect()) {
            TestDatabase.run(listener, "LISTEN \"cache_invalidate_AB3028\"");
            try (Hold hold = new Hold(database, "INSERT", "freshet.live_event", "true")) {
                CompletableFuture<Integer> victim = CompletableFuture.supplyAsync(() -> {
                    try {
                        return relay.take();
                    } catch (SQLException e) {
                        return -1;
                    }
                });
                hold.awaitReached();
                assertEquals(0, relay(0).take(), "one at a time");
                hold.kill();
                assertEquals(-1, victim.join());
            }
            assertEquals(List.of(), heard(listener));
            assertEquals(1, relay(0).take());
            assertEquals(1, heard(listener).size());
        }
        assertEquals("1", database.one("SELECT last_id FROM freshet.live_relay"));
    }

    @Test
    void an_event_that_cannot_be_sent_stops_no_other() throws Exception {
        auction();
        database.run("ALTER TABLE freshet.live_event ADD CHECK (payload NOT LIKE '%666%')");
        run("INSERT INTO bids (art_id, amount) VALUES (10, 1), (10, 666), (10, 2)");
        relay.take();
        relay.take();
        relay.take();
        assertEquals(
                List.of("1", "2"),
                database.list("SELECT payload::json ->> 'amount' FROM freshet.live_event ORDER BY id"));
        assertEquals("1", skipped());
    }

    @Test
    void among_many_events_one_that_cannot_be_sent_is_found_quickly() throws Exception {
        auction();
        database.run("ALTER TABLE freshet.live_event ADD CHECK (payload::json ->> 'amount' <> '1500')");
        run("INSERT INTO bids (art_id, amount) SELECT 10, n FROM generate_series(1, 3000) n");
        int turns = 0;
        for (; !database.one("SELECT count(*) FROM freshet.live_outbox").equals("0"); turns++) {
            relay.take();
        }
        assertEquals("2999", database.one("SELECT count(*) FROM freshet.live_event"));
        assertEquals("1", skipped());
        assertTrue(turns < 50, turns + " turns");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'vote_cast', 'AB3028', NULL, ARRAY[NULL], now()",
                "'vote_cast', 'AB3028', NULL, ARRAY[ARRAY['/a']], now()",
                "'vote_cast', 'AB3028', NULL, NULL, 'infinity'",
                "'vote_cast', 'AB3028', NULL, NULL, '-infinity'",
                "E'vote_cast\\n\\nevent: forged', 'AB3028', NULL, NULL, now()"
            })
    void a_row_that_its_owner_made_unreadable_stops_no_other_event(String row) throws Exception {
        auction();
        String outbox = "INSERT INTO freshet.live_outbox (type, event_eid, detail, endpoints, changed_at) VALUES (";
        run("INSERT INTO votes (art_id) VALUES (10)");
        database.run(outbox + row + ")");
        run("INSERT INTO votes (art_id) VALUES (11)");
        assertEquals(
                List.of("10", "11"),
                published().stream()
                        .map(payload -> payload.get("art_id").asText())
                        .toList());
        assertEquals("1", skipped());
        assertEquals("0", database.one("SELECT count(*) FROM freshet.live_outbox"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"art_id\":\"a\\u0000b\"}",
                "{\"art_id\":\"\\ud800\"}",
                "{\"round\":\"\\u0000\",\"easel\":1}",
                "[]",
                "1e99999"
            })
    void unusual_details_are_published_and_stop_no_other_event(String detail) throws Exception {
        auction();
        for (int limit : List.of(0, 1)) {
            relay = relay(limit);
            try (var insert = user.prepareStatement(
                    "INSERT INTO freshet.live_outbox (type, event_eid, detail) VALUES ('bid_placed', ?, ?::json)")) {
                for (String eid : List.of("odd" + limit, "odd" + limit, "odd" + limit, "good" + limit)) {
                    insert.setString(1, eid);
                    insert.setString(2, detail);
                    insert.execute();
                }
            }
            List<String> told = published().stream()
                    .map(payload -> payload.get("event_eid").asText())
                    .distinct()
                    .toList();
            assertEquals(List.of("odd" + limit, "good" + limit), told);
        }
        assertEquals("0", skipped());
    }

    @Test
    void a_hung_relay_loses_its_turn_without_intervention() throws Exception {
        try (Connection hung = database.connect()) {
            hung.setAutoCommit(false);
            TestDatabase.list(hung, dev.freshet.database.SqlFile.text("live/take-live-turn"));
            assertEquals(
                    "5s",
                    TestDatabase.list(hung, "SHOW idle_in_transaction_session_timeout")
                            .get(0));
        }
    }

    // FRESHET_LIVE_LIMIT

    @Test
    void above_the_limit_endpoints_are_merged_and_none_is_dropped() throws Exception {
        auction();
        relay = relay(3);
        run("INSERT INTO bids (art_id, amount) SELECT CASE WHEN n < 9 THEN 10 ELSE 11 END, n FROM"
                + " generate_series(1, 10) n; INSERT INTO votes (art_id) VALUES (20)");
        List<JsonNode> sent = published();
        assertEquals(
                List.of("1", "2", "10", ""),
                sent.stream().map(payload -> payload.path("amount").asText()).toList());
        assertEquals(
                "[\"/live/event/AB3028\",\"/live/event/AB3028-2-7/bids\",\"/live/event/AB3028-2-8/bids\"] 8",
                sent.get(2).get("endpoints") + " " + sent.get(2).get("changes"));
        assertEquals("ab3028", sent.get(3).get("event_eid").asText(), "the limit is each event's own");

        run("INSERT INTO bids (art_id, amount) VALUES (10, 11); INSERT INTO art_media (artwork_id) VALUES (11)");
        relay.take();
        run("UPDATE art SET status = 'sold' WHERE id = 10");
        database.run("UPDATE freshet.live_event SET published_at = now()");
        assertEquals(List.of(), published(), "held, and put together");
        assertEquals("1", database.one("SELECT count(*) FROM freshet.live_outbox"));
        database.run("UPDATE freshet.live_event SET published_at = published_at - interval '1 second'");
        sent = published();
        assertEquals(
                "art_updated 3 [\"/live/event/AB3028\",\"/live/event/AB3028-2-7/bids\",\"/live/event/AB3028/media\"]",
                sent.get(0).get("type").asText() + " " + sent.get(0).get("changes") + " "
                        + sent.get(0).get("endpoints"));
        assertEquals(1, sent.size());
        assertEquals("14", database.one("SELECT sum(count) FROM get_cache_invalidation_stats(NULL, 5)"));
    }

    @Test
    void endpoints_that_do_not_fit_into_one_notification_become_several() throws Exception {
        auction();
        relay = relay(1);
        run("INSERT INTO art SELECT 1000 + n, 1, n, n FROM generate_series(1, 250) n; INSERT INTO bids (art_id,"
                + " amount) SELECT 1000 + n, n FROM generate_series(1, 250) n");
        int endpoints = 0;
        for (int batch = 0; batch < 3; batch++) {
            List<JsonNode> sent = published();
            assertEquals(1, sent.size());
            endpoints += sent.get(0).get("endpoints").size();
            database.run("UPDATE freshet.live_event SET published_at = published_at - interval '1 second'");
        }
        assertEquals(251, endpoints);
        assertEquals(List.of(), published());
    }

    // the history

    @Test
    void history_is_cut_by_age_and_records_how_far() throws Exception {
        auction();
        run("INSERT INTO votes (art_id) SELECT 10 FROM generate_series(1, 5)");
        relay.take();
        dev.freshet.live.History history =
                new dev.freshet.live.History(new Transactions(database.pool(1)), java.time.Duration.ofHours(24));
        history.forgetOld();
        assertEquals(
                "5 0",
                database.one("SELECT concat_ws(' ', (SELECT count(*) FROM freshet.live_event), kept_after) FROM"
                        + " freshet.live_relay"));
        database.run("UPDATE freshet.live_event SET published_at = now() - interval '25 hours' WHERE id <= 3");
        history.forgetOld();
        assertEquals(
                "2 3",
                database.one("SELECT concat_ws(' ', (SELECT count(*) FROM freshet.live_event), kept_after) FROM"
                        + " freshet.live_relay"));
        assertEquals("false 2", page(history, "3"));
        assertEquals("false 0", page(history, "5"));
        assertEquals("true 0", page(history, "2"));
        assertEquals("true 0", page(history, "6"));
        assertEquals("false 2", page(history, null));
        assertEquals(5L, history.page("AB3028", "2", null).next());
    }

    private static String page(dev.freshet.live.History history, String after) throws SQLException {
        var page = history.page("AB3028", after, null);
        return page.reset() + " " + page.events().size();
    }

    @Test
    void published_events_are_read_from_the_last_position_or_anew() throws Exception {
        auction();
        Hub hub = new Hub(new LiveMeters(new SimpleMeterRegistry()));
        Published published = new Published(new Transactions(database.pool(1)), relay, hub);
        published.begin();
        assertFalse(published.isBehind());
        run("INSERT INTO votes (art_id) VALUES (10)");
        assertTrue(published.isBehind(), "something to relay");
        relay(0).take();
        assertTrue(published.isBehind(), "something to read");
        published.read();
        assertFalse(published.isBehind());
        database.run("DELETE FROM freshet.live_event; UPDATE freshet.live_relay SET last_id = 0");
        published.read();
        assertFalse(published.isBehind(), "an older database: it starts anew");
        run("INSERT INTO votes (art_id) VALUES (10)");
        relay(0).take();
        database.run("DELETE FROM freshet.live_event");
        published.read();
        assertFalse(published.isBehind(), "somebody has tidied up: it starts anew");
    }

    @Test
    void events_that_an_instance_publishes_are_sent_without_reading_unless_it_is_behind() throws Exception {
        auction();
        Relay mine = relay(0);
        Hub hub = new Hub(new LiveMeters(new SimpleMeterRegistry()));
        Published published = new Published(new Transactions(database.pool(1)), mine, hub);
        published.begin();
        run("INSERT INTO votes (art_id) VALUES (10)");
        mine.take();
        assertFalse(published.isBehind(), "told");
        run("INSERT INTO votes (art_id) VALUES (10)");
        relay(0).take();
        run("INSERT INTO votes (art_id) VALUES (10)");
        mine.take();
        assertTrue(published.isBehind(), "what another published comes first");
        published.read();
        assertFalse(published.isBehind());
    }

    // installing

    @Test
    void live_events_are_turned_off_and_on_again_with_one_statement_each() throws Exception {
        auction();
        run("SELECT live_events_off()");
        run("INSERT INTO votes (art_id) VALUES (10); INSERT INTO art_media (artwork_id) VALUES (10); UPDATE art"
                + " SET status = 'x'; INSERT INTO bids (art_id) VALUES (10)");
        assertEquals(List.of(), types());
        assertEquals(List.of("live events were off already"), WayIn.warnings(user, "SELECT live_events_off()"));
        for (String statement :
                Files.readString(Path.of("sql/presets/live_events.sql")).split("(?<=;)\\n")) {
            run(statement);
        }
        run("INSERT INTO votes (art_id) VALUES (10)");
        assertEquals(List.of("vote_cast"), types());
        run("DROP TRIGGER IF EXISTS cache_invalidate_art_trigger ON art; DROP TRIGGER IF EXISTS"
                + " cache_invalidate_votes_trigger ON votes;DROP TRIGGER IF EXISTS cache_invalidate_bids_trigger"
                + " ON bids; DROP TRIGGER IF EXISTS cache_invalidate_media_trigger ON art_media");
        run("INSERT INTO votes (art_id) VALUES (10); INSERT INTO art_media (artwork_id) VALUES (10)");
        assertEquals(List.of(), types());
    }

    @Test
    void the_trigger_of_a_type_that_only_another_build_knows_is_turned_off_as_well() throws Exception {
        auction();
        run("CREATE FUNCTION freshet_live_likes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE"
                + " TRIGGER cache_invalidate_likes_trigger AFTER INSERT ON votes EXECUTE FUNCTION freshet_live_likes();"
                + " SELECT live_events_off()");
        assertEquals(List.of(), database.list("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'cache%'"));
    }

    @Test
    void triggers_are_per_statement_if_they_serve_a_single_kind_of_event() throws Exception {
        auction();
        run("SELECT install_live_events()");
        assertEquals(
                List.of(
                        "cache_invalidate_art_trigger STATEMENT UPDATE",
                        "cache_invalidate_bids_trigger STATEMENT INSERT",
                        "cache_invalidate_media_trigger ROW INSERT",
                        "cache_invalidate_media_trigger ROW UPDATE",
                        "cache_invalidate_votes_trigger STATEMENT INSERT"),
                database.list("SELECT concat_ws(' ', trigger_name, action_orientation, event_manipulation) FROM"
                        + " information_schema.triggers WHERE trigger_name LIKE 'cache%' ORDER BY 1"));
    }

    @Test
    void missing_tables_are_named() throws Exception {
        assertTrue(WayIn.refused(user, "SELECT install_live_events()").contains("public.events"));
        run("CREATE TABLE events (id int, eid text)");
        String refused = WayIn.refused(user, "SELECT install_live_events()");
        assertTrue(
                refused.contains("there is no table public.art: live events need events(id, eid) and art(id, event_id,"
                        + " round, easel, status, description)\n"),
                refused);
        run("CREATE TABLE art (id int, event_id int, round int, easel int, status text)");
        refused = WayIn.refused(user, "SELECT install_live_events()");
        assertTrue(refused.contains("public.art has no column description\n"), refused);
        assertTrue(
                refused.contains("Live events need events(id, eid), art(id, event_id, round, easel, status,"
                        + " description), votes(art_id), bids(art_id, amount) and art_media(artwork_id).\n"),
                refused);
        run("ALTER TABLE art ADD description text; CREATE TABLE votes (art_id int)");
        List<String> notices = WayIn.warnings(user, "SELECT install_live_events()");
        assertEquals(2, notices.size());
        assertTrue(
                notices.get(0).contains("public.bids") && notices.get(1).contains("public.art_media"),
                notices::toString);
        run("INSERT INTO events VALUES (1, 'E'); INSERT INTO art VALUES (1, 1, 1, 1); INSERT INTO votes VALUES (1)");
        assertEquals(List.of("vote_cast"), types());
        assertEquals(
                "Freshet: sends changes of art, votes, bids and art_media to live pages; their owner may call this",
                database.one("SELECT obj_description('install_live_events()'::regprocedure, 'pg_proc')"));
    }

    @Test
    void the_old_systems_triggers_are_replaced_and_its_functions_are_renamed_aside() throws Exception {
        try (TestDatabase theirs = TestDatabase.empty()) {
            theirs.runAsSuperuser("ALTER DATABASE " + theirs.name() + " SET search_path = public");
            theirs.run(TABLES.formatted("int") + """
                CREATE FUNCTION notify_vote() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN PERFORM pg_notify('old', ''); RETURN NEW; END $$;
                CREATE TRIGGER cache_invalidate_votes_trigger AFTER INSERT ON votes
                    FOR EACH ROW EXECUTE FUNCTION notify_vote();
                CREATE CONSTRAINT TRIGGER cache_invalidate_bids_trigger AFTER INSERT ON bids
                    FOR EACH ROW EXECUTE FUNCTION notify_vote();
                CREATE FUNCTION manual_cache_invalidation(p_eid text) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
                CREATE FUNCTION get_cache_invalidation_stats(a text, b int) RETURNS int LANGUAGE sql AS 'SELECT 1';
                INSERT INTO events VALUES (1, 'E'); INSERT INTO art VALUES (1, 1, 1, 1);
                """);
            theirs.migrate();
            assertEquals(
                    List.of("get_cache_invalidation_stats_before_freshet", "manual_cache_invalidation_before_freshet"),
                    theirs.list("SELECT proname FROM pg_proc WHERE proname LIKE '%before_freshet' ORDER BY 1"));
            try (Connection owner = theirs.connect()) {
                List<String> notices = WayIn.warnings(owner, "SELECT install_live_events()");
                assertEquals(2, notices.size());
                assertTrue(
                        notices.get(0).contains("cache_invalidate_votes_trigger")
                                && notices.get(0).contains("notify_vote()"),
                        notices::toString);
                TestDatabase.run(
                        owner,
                        "LISTEN old; INSERT INTO votes (art_id) VALUES (1); INSERT INTO bids (art_id, amount) VALUES"
                                + " (1, 1)");
                assertEquals(List.of(), heard(owner));
            }
            assertEquals("2", theirs.one("SELECT count(*) FROM freshet.live_outbox"));
        }
    }

    // rights

    @Test
    void the_owner_installs_and_writers_need_no_rights_on_our_objects() throws Exception {
        roles();
        database.runAsSuperuser(
                "GRANT CREATE, USAGE ON SCHEMA public TO painter; GRANT USAGE ON SCHEMA public TO bidder;"
                        + "GRANT EXECUTE ON FUNCTION install_live_events(), live_events_off() TO painter, bidder");
        try (Connection owner = database.connectAs("painter");
                Connection writer = database.connectAs("bidder")) {
            TestDatabase.run(
                    owner,
                    TABLES.formatted("int")
                            + "GRANT INSERT ON bids TO bidder; ALTER TABLE art ENABLE ROW LEVEL SECURITY");
            assertTrue(WayIn.refused(writer, "SELECT install_live_events()").contains("only the owner of"));
            TestDatabase.run(
                    owner,
                    "SELECT install_live_events(); INSERT INTO events VALUES (1, 'E'); INSERT INTO art VALUES (10, 1,"
                            + " 1, 1)");
            // some take away from PUBLIC what PostgreSQL gives it
            database.runAsSuperuser("REVOKE EXECUTE ON FUNCTION freshet.must_wake() FROM PUBLIC");
            TestDatabase.run(writer, "INSERT INTO bids (art_id, amount) VALUES (10, 5)");
            assertEquals(List.of("bid_placed"), types());
            assertTrue(
                    WayIn.refused(writer, "SELECT * FROM freshet.live_outbox").contains("permission denied"));
            assertTrue(WayIn.refused(writer, "SELECT live_events_off()").contains("must be owner"));
            assertTrue(
                    WayIn.refused(owner, "SELECT * FROM freshet.live_outbox").contains("permission denied"),
                    "the owner may only append");
            // Freshet's own role owns none of these tables
            assertTrue(WayIn.refused(user, "SELECT install_live_events()").contains("only the owner of"));
            database.runAsSuperuser("SELECT install_live_events()");
            assertEquals(
                    List.of("painter"),
                    database.list("SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE proname LIKE"
                            + " 'freshet_live_%'"),
                    "nothing of it is a superuser's");
            TestDatabase.run(owner, "SELECT live_events_off(); INSERT INTO bids (art_id, amount) VALUES (10, 5)");
            assertEquals(List.of(), types());
        }
    }

    @Test
    void a_superuser_who_installs_runs_none_of_the_owners_code() throws Exception {
        roles();
        database.runAsSuperuser("GRANT CREATE, USAGE ON SCHEMA public TO painter");
        try (Connection owner = database.connectAs("painter")) {
            TestDatabase.run(
                    owner,
                    TABLES.formatted("int") + "CREATE FUNCTION sly(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS"
                            + " 'BEGIN RETURN true; END'; CREATE INDEX ON art (id) WHERE sly(1); CREATE OR REPLACE"
                            + " FUNCTION sly(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS"
                            + " 'BEGIN RAISE EXCEPTION ''ran as %'', current_user; END'");
        }
        database.runAsSuperuser("SELECT install_live_events()");
    }

    @Test
    void a_trigger_function_of_another_role_is_not_taken_over() throws Exception {
        roles();
        database.runAsSuperuser("GRANT CREATE, USAGE ON SCHEMA public TO bidder; " + TABLES.formatted("int"));
        try (Connection stranger = database.connectAs("bidder")) {
            TestDatabase.run(
                    stranger,
                    "CREATE FUNCTION public.freshet_live_art() RETURNS trigger LANGUAGE plpgsql AS"
                            + " 'BEGIN RETURN NULL; END'");
        }
        String refused = assertThrows(
                        java.sql.SQLException.class, () -> database.runAsSuperuser("SELECT install_live_events()"))
                .getMessage();
        assertTrue(refused.contains("freshet_live_art() belongs to bidder"), refused);
    }

    @Test
    void neither_the_owners_code_nor_names_shadowed_by_a_writer_gain_rights() throws Exception {
        roles();
        database.runAsSuperuser(
                "GRANT CREATE, USAGE ON SCHEMA public TO painter; GRANT USAGE ON SCHEMA public TO bidder; GRANT"
                        + " EXECUTE ON FUNCTION install_live_events() TO painter;"
                        + "CREATE SCHEMA evil; GRANT ALL ON SCHEMA"
                        + " evil TO bidder");
        try (Connection owner = database.connectAs("painter");
                Connection writer = database.connectAs("bidder")) {
            TestDatabase.run(
                    owner,
                    TABLES.formatted("int")
                            + "GRANT SELECT, INSERT ON bids, votes TO bidder; CREATE TABLE runs (who text); GRANT"
                            + " INSERT ON runs TO PUBLIC;CREATE FUNCTION sly(int) RETURNS boolean LANGUAGE plpgsql"
                            + " IMMUTABLE AS 'BEGIN RETURN true; END'; CREATE INDEX ON art (id) WHERE sly(1);CREATE OR"
                            + " REPLACE FUNCTION sly(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM"
                            + " set_config(''trap.ran_as'', concat(current_setting(''trap.ran_as'', true),"
                            + " current_user, '' ''), false); RETURN true; END';SELECT install_live_events(); INSERT"
                            + " INTO events VALUES (1, 'E'); INSERT INTO art VALUES (10, 1, 1, 1)");
            TestDatabase.run(
                    writer,
                    "CREATE TABLE evil.art (id int, event_id int, round int, easel int); CREATE FUNCTION"
                            + " evil.left(text, int) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM"
                            + " set_config(''trap.ran_as'', ''stolen '' || current_user, false);"
                            + " RETURN $1; END'; CREATE"
                            + " TEMP TABLE new_rows (art_id int, amount int); CREATE TEMP TABLE has_table_privilege (x"
                            + " int);SET search_path = evil, pg_temp, public; INSERT INTO public.bids (art_id, amount)"
                            + " VALUES (10, 5)");
            String ranAs = String.valueOf(TestDatabase.list(writer, "SELECT current_setting('trap.ran_as', true)")
                    .get(0));
            assertFalse(ranAs.contains("freshet") || ranAs.contains("stolen"), ranAs);
            TestDatabase.run(owner, "SELECT FROM art WHERE id = 10");
            assertEquals(
                    List.of("painter "), // the trap works
                    TestDatabase.list(owner, "SELECT right(current_setting('trap.ran_as', true), length('painter '))"));
        }
        List<JsonNode> sent = published();
        assertEquals(
                List.of(10),
                sent.stream().map(payload -> payload.get("art_id").asInt()).toList());
        assertEquals(
                List.of(),
                database.list("SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('public'::regnamespace,"
                        + " 'freshet'::regnamespace) AND prosecdef AND NOT coalesce(proconfig @>"
                        + " ARRAY['search_path=pg_catalog, pg_temp'], false)"));
    }

    @Test
    void with_supabases_default_grants_anon_can_call_nothing() throws Exception {
        for (String role : List.of("anon", "service_role")) {
            database.runAsSuperuser(
                    "DO $$ BEGIN CREATE ROLE " + role + " LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        }
        try (TestDatabase supabase = TestDatabase.empty()) {
            supabase.runAsSuperuser("ALTER DATABASE " + supabase.name()
                    + " SET search_path = public; ALTER DEFAULT PRIVILEGES FOR ROLE freshet IN SCHEMA public"
                    + " GRANT ALL ON FUNCTIONS TO anon, service_role;ALTER DEFAULT PRIVILEGES FOR ROLE freshet"
                    + " IN SCHEMA public GRANT ALL ON TABLES TO anon; GRANT USAGE ON SCHEMA public TO anon,"
                    + " service_role");
            supabase.migrate();
            supabase.run(TABLES.formatted("int") + "SELECT install_live_events()");
            assertEquals(
                    List.of(),
                    supabase.list(
                            "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND"
                                    + " has_function_privilege('anon', oid, 'EXECUTE')"));
            try (Connection anon = supabase.connectAs("anon");
                    Connection service = supabase.connectAs("service_role")) {
                assertTrue(WayIn.refused(anon, "SELECT manual_cache_invalidation('E')")
                        .contains("permission denied"));
                TestDatabase.run(
                        service,
                        "SELECT manual_cache_invalidation('E'); SELECT * FROM get_cache_invalidation_stats('E', 5)");
                TestDatabase.run(
                        anon,
                        "INSERT INTO events VALUES (1, 'E'); INSERT INTO art VALUES (10, 1, 1, 1); INSERT INTO bids"
                                + " (art_id, amount) VALUES (10, 5)");
            }
            assertEquals("2", supabase.one("SELECT count(*) FROM freshet.live_outbox"));
        }
    }

    private void roles() throws SQLException {
        for (String role : List.of("painter", "bidder")) {
            database.runAsSuperuser(
                    "DO $$ BEGIN CREATE ROLE " + role + " LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        }
    }
}
