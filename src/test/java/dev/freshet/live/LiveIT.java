package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.testing.EventStream;
import dev.freshet.testing.EventStream.Event;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Live events on the wire: two packaged instances on one database, and clients that read, sleep, lag and return. */
class LiveIT {
    private static final String TABLES = """
        CREATE TABLE events (id int PRIMARY KEY, eid text);
        CREATE TABLE art (id int PRIMARY KEY, event_id int, round int, easel int, status text, description text);
        CREATE TABLE votes (id int GENERATED ALWAYS AS IDENTITY, art_id int);
        CREATE TABLE bids (id int GENERATED ALWAYS AS IDENTITY, art_id int, amount numeric);
        CREATE TABLE art_media (id int GENERATED ALWAYS AS IDENTITY, artwork_id int);
        INSERT INTO events SELECT n, 'E' || n FROM generate_series(1, 200) n;
        INSERT INTO art SELECT n, n, 1, n FROM generate_series(1, 200) n;
        """;

    private static Scene scene;
    private static FreshetProcess one;
    private static FreshetProcess other;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("FRESHET_POOL_SIZE=5");
        scene.database.runAsSuperuser("ALTER DATABASE " + scene.database.name() + " SET search_path = public");
        one = scene.start();
        other = scene.start();
        scene.database.run(TABLES + "SELECT install_live_events()");
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    private static void vote(int art) throws SQLException {
        scene.database.run("INSERT INTO votes (art_id) VALUES (" + art + ")");
    }

    private static String stream(int event) {
        return "/live/E" + event + "/stream";
    }

    private static JsonNode json(FreshetProcess freshet, String path) {
        return new RawHttp(URI.create(freshet.url()).getPort())
                .ask("GET " + path)
                .json();
    }

    private static RawHttp api(FreshetProcess freshet) {
        return new RawHttp(URI.create(freshet.url()).getPort());
    }

    /** Ids in the published order. */
    private static List<Long> published(int event) throws SQLException {
        return scene
                .database
                .list("SELECT id FROM freshet.live_event WHERE event_eid = 'E" + event + "' ORDER BY id")
                .stream()
                .map(Long::valueOf)
                .toList();
    }

    private static List<Long> ids(EventStream stream) {
        return stream.events().stream().map(Event::number).toList();
    }

    @Test
    void a_stream_carries_its_own_events_in_order_from_every_instance() throws Exception {
        try (EventStream here = EventStream.open(one, stream(1));
                EventStream there = EventStream.open(other, stream(1));
                EventStream second = EventStream.open(one, stream(2))) {
            String head = here.head();
            assertTrue(head.startsWith("HTTP/1.1 200") && head.contains("content-type: text/event-stream"), head);
            assertTrue(
                    head.toLowerCase().contains("cache-control: no-cache\r")
                            && head.toLowerCase().contains("x-accel-buffering: no"),
                    head);
            assertTrue(head.toLowerCase().contains("access-control-allow-origin: *"), head);
            scene.database.run(
                    "INSERT INTO votes (art_id) VALUES (1); INSERT INTO votes (art_id) VALUES (2); UPDATE art SET"
                            + " status = 'sold' WHERE id = 1;"
                            + " INSERT INTO bids (art_id, amount) VALUES (1, 5);INSERT INTO"
                            + " art_media (artwork_id) VALUES (1)");
            for (EventStream stream : List.of(here, there)) {
                stream.await(4);
                assertEquals(List.of("vote_cast", "art_updated", "bid_placed", "media_updated"), stream.types());
                assertEquals(published(1), ids(stream));
                assertTrue(stream.others().get(0).matches("retry: [12]\\d{3}"), stream.others()::toString);
            }
            assertEquals(
                    scene.database.list("SELECT payload FROM freshet.live_event WHERE event_eid = 'E1' ORDER BY id"),
                    here.events().stream().map(Event::data).toList());
            assertEquals(List.of("vote_cast"), second.types());
        }
    }

    @Test
    void an_id_follows_its_data_so_that_a_cut_connection_skips_no_event() throws Exception {
        try (EventStream stream = EventStream.open(one, stream(16), "Last-Event-ID: 99999999999")) {
            vote(16);
            stream.await(2);
            String told = "event: reset\ndata: D\nid: N\n\nevent: vote_cast\ndata: D\nid: N\n\n";
            assertEquals(
                    told,
                    stream.text()
                            .replaceAll("(?m)^data: .*", "data: D")
                            .replaceAll("(?m)^id: \\d+", "id: N")
                            .replaceFirst("^retry: \\d+\n\n", "")
                            .replaceAll("(?m)^:\n(id: N\n)?\n", ""));
        }
    }

    @Test
    void as_messages_events_have_no_names_so_that_an_event_source_receives_every_type() throws Exception {
        try (EventStream stream = EventStream.open(one, stream(17) + "?as=message");
                EventStream other = EventStream.open(one, stream(17))) {
            String outbox = "INSERT INTO freshet.live_outbox (type, event_eid) VALUES ('comment_added', 'E17')";
            scene.database.run("INSERT INTO votes (art_id) VALUES (17); " + outbox);
            stream.await(3);
            assertEquals(List.of("hello", "message", "message"), stream.types());
            other.await(2);
            assertEquals(List.of("vote_cast", "comment_added"), other.types());
            assertEquals(
                    other.events().stream().map(Event::data).toList(),
                    stream.events().stream().skip(1).map(Event::data).toList());
            assertEquals(published(17), ids(stream).subList(1, 3));
            String last = Long.toString(published(17).get(0));
            try (EventStream again = EventStream.open(LiveIT.other, stream(17) + "?as=message&lastEventId=" + last)) {
                again.await(2);
                assertEquals(List.of("hello", "message"), again.types(), "what was missed, too");
            }
        }
    }

    @Test
    void as_messages_a_stream_begins_with_a_hello_that_gives_its_position() throws Exception {
        vote(18);
        Scene.until("published", () -> published(18).size() == 1);
        long before = published(18).get(0);
        try (EventStream fresh = EventStream.open(one, stream(18) + "?as=message");
                EventStream resumed = EventStream.open(one, stream(18) + "?as=message&lastEventId=" + (before - 1));
                EventStream lost = EventStream.open(one, stream(18) + "?as=message&lastEventId=nonsense")) {
            Event hello = fresh.await(1).get(0);
            assertEquals(new Event(hello.id(), "hello", "{\"type\":\"hello\",\"event_eid\":\"E18\"}"), hello);
            assertEquals(
                    List.of("hello", "message"),
                    List.of(resumed.await(2).get(0).type(), resumed.types().get(1)));
            assertEquals(List.of(before - 1, before), ids(resumed));
            assertEquals(
                    List.of("hello", "reset"),
                    List.of(lost.await(2).get(0).type(), lost.types().get(1)));
            assertEquals("", lost.events().get(0).id(), "nobody knows where that would be");
            fresh.close();
            vote(18);
            try (EventStream again =
                    EventStream.open(other, stream(18) + "?as=message", "Last-Event-ID: " + hello.id())) {
                assertEquals("message", again.await(2).get(1).type());
                assertEquals(
                        published(18).stream().filter(id -> id > hello.number()).findFirst(),
                        ids(again).stream().skip(1).findFirst());
            }
        }
    }

    @Test
    void missed_events_are_replayed_once() throws Exception {
        EventStream first = EventStream.open(one, stream(3));
        vote(3);
        first.await(1);
        first.close();
        vote(3);
        vote(4);
        vote(3);
        Scene.until("published", () -> published(3).size() == 3);
        List<Long> all = published(3);
        try (EventStream again = EventStream.open(other, stream(3), "Last-Event-ID: " + first.lastId());
                EventStream byQuery = EventStream.open(one, stream(3) + "?lastEventId=" + first.lastId());
                EventStream both = EventStream.open(
                        one, stream(3) + "?lastEventId=" + first.lastId(), "Last-Event-ID: " + all.get(1));
                EventStream fresh = EventStream.open(one, stream(3))) {
            vote(3);
            again.await(3);
            byQuery.await(3);
            both.await(2);
            fresh.await(1);
            all = published(3);
            assertEquals(all.subList(1, 4), ids(again));
            assertEquals(all.subList(1, 4), ids(byQuery));
            assertEquals(all.subList(2, 4), ids(both), "the header is newer than the address");
            assertEquals(all.subList(3, 4), ids(fresh), "the first visit begins now");
        }
    }

    @Test
    void a_stream_that_has_seen_no_event_yet_can_be_resumed() throws Exception {
        EventStream quiet = EventStream.open(one, stream(5));
        Scene.until("an id without an event", () -> quiet.lastId().matches("\\d+"));
        assertEquals(List.of(), quiet.events());
        quiet.close();
        vote(5);
        Scene.until("published", () -> published(5).size() == 1);
        try (EventStream again = EventStream.open(one, stream(5), "Last-Event-ID: " + quiet.lastId())) {
            assertEquals(
                    published(5), again.await(1).stream().map(Event::number).toList());
        }
    }

    @Test
    void a_client_that_reconnects_repeatedly_under_load_misses_and_repeats_no_event() throws Exception {
        CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> {
            try (Connection writer = scene.database.connect()) {
                for (int i = 0; i < 1500; i++) {
                    TestDatabase.run(writer, "INSERT INTO bids (art_id, amount) VALUES (6, " + i + ")");
                }
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        List<Long> seen = new ArrayList<>();
        String last = "";
        int visits = 0;
        while (!writing.isDone() || seen.size() < 1500) {
            try (EventStream stream = EventStream.open(
                    visits++ % 2 == 0 ? one : other, stream(6) + "?lastEventId=" + (last.isEmpty() ? "0" : last))) {
                int before = seen.size();
                stream.await(1);
                List<Event> events = stream.events();
                events.forEach(event -> seen.add(event.number()));
                last = Long.toString(seen.get(seen.size() - 1));
                assertTrue(seen.size() > before);
            }
        }
        writing.join();
        assertEquals(published(6), seen);
        assertTrue(visits > 3, visits + " visits");
    }

    @ParameterizedTest
    @ValueSource(strings = {"99999999999", "not-a-number", "-1", "4e9", "999999999999999999999999"})
    void an_unknown_id_is_answered_with_reset(String id) throws Exception {
        try (EventStream stream = EventStream.open(one, stream(7), "Last-Event-ID: " + id)) {
            Event reset = stream.await(1).get(0);
            assertEquals("reset", reset.type());
            assertEquals(
                    "E7",
                    new com.fasterxml.jackson.databind.ObjectMapper()
                            .readTree(reset.data())
                            .get("event_eid")
                            .asText());
            vote(7);
            stream.await(2);
            assertEquals(List.of("reset", "vote_cast"), stream.types(), "and it goes on from now");
            assertTrue(stream.events().get(1).number() > reset.number());
        }
    }

    @Test
    void an_id_older_than_the_history_is_answered_with_reset() throws Exception {
        try (Scene aside = new Scene("FRESHET_LIVE_RETENTION=1h")) {
            FreshetProcess freshet = aside.start();
            aside.database.run("SELECT manual_cache_invalidation('E') FROM generate_series(1, 5)");
            Scene.until(
                    "published",
                    () -> aside.one("SELECT last_id FROM freshet.live_relay").equals("5"));
            aside.database.run("UPDATE freshet.live_event SET published_at = now() - interval '2 hours' WHERE id < 4");
            aside.database.run(
                    "UPDATE freshet.live_relay SET kept_after = 3; DELETE FROM freshet.live_event WHERE id < 4");
            try (EventStream old = EventStream.open(freshet, "/live/E/stream?lastEventId=2");
                    EventStream good = EventStream.open(freshet, "/live/E/stream?lastEventId=3")) {
                assertEquals("reset", old.await(1).get(0).type());
                assertEquals(
                        List.of(4L, 5L),
                        good.await(2).stream().map(Event::number).toList());
            }
            assertEquals(
                    "{\"events\":[],\"next\":5,\"reset\":true}",
                    api(freshet).ask("GET /live/E/history?after=2").body());
        }
    }

    @Test
    void a_late_commit_is_published_late_and_not_lost() throws Exception {
        try (EventStream stream = EventStream.open(one, stream(8));
                Connection early = scene.database.connect();
                Connection late = scene.database.connect()) {
            TestDatabase.run(late, "BEGIN; INSERT INTO bids (art_id, amount) VALUES (8, 1)");
            TestDatabase.run(early, "BEGIN; INSERT INTO bids (art_id, amount) VALUES (8, 2); COMMIT");
            stream.await(1);
            TestDatabase.run(late, "COMMIT");
            List<Event> events = stream.await(2);
            assertTrue(
                    events.get(0).data().contains("\"amount\":2")
                            && events.get(1).data().contains("\"amount\":1"),
                    events::toString);
            assertTrue(events.get(0).number() < events.get(1).number());
        }
    }

    @Test
    void after_a_kill_9_another_instance_continues_where_it_stopped() throws Exception {
        FreshetProcess victim = scene.start();
        EventStream stream = EventStream.open(victim, stream(9));
        vote(9);
        stream.await(1);
        victim.kill9();
        vote(9);
        vote(9);
        Scene.until("the stream has ended", stream::hasEnded);
        try (EventStream again = EventStream.open(other, stream(9), "Last-Event-ID: " + stream.lastId())) {
            again.await(2);
            vote(9);
            again.await(3);
            assertEquals(published(9).subList(1, 4), ids(again));
        }
    }

    @Test
    void changes_made_while_no_instance_runs_are_sent_when_one_is_back() throws Exception {
        try (Scene aside = new Scene();
                Connection listener = aside.database.connect()) {
            aside.database.runAsSuperuser("ALTER DATABASE " + aside.database.name() + " SET search_path = public");
            FreshetProcess first = aside.start();
            aside.database.run(TABLES + "SELECT install_live_events()");
            EventStream before = EventStream.open(first, stream(1));
            Scene.until("an id", () -> !before.lastId().isEmpty());
            first.kill9();
            TestDatabase.run(listener, "LISTEN \"cache_invalidate_E1\"");
            // not two equal ones: those would be a single notification if they arrived within one microsecond
            aside.database.run("INSERT INTO bids (art_id, amount) VALUES (1, 5), (1, 6)");
            FreshetProcess second = aside.start();
            try (EventStream after = EventStream.open(second, stream(1), "Last-Event-ID: " + before.lastId())) {
                assertEquals(2, after.await(2).size());
            }
            int heard = 0;
            for (var some = notifications(listener); heard < 2; some = notifications(listener)) {
                heard += some == null ? 0 : some.length;
            }
            assertEquals(2, heard);
        }
    }

    private static org.postgresql.PGNotification[] notifications(Connection listener) throws SQLException {
        return listener.unwrap(org.postgresql.PGConnection.class).getNotifications(500);
    }

    @Test
    void a_reader_that_stops_reading_is_disconnected_and_holds_up_nobody() throws Exception {
        double before = slowReaders();
        try (Socket lazy = new Socket();
                EventStream busy = EventStream.open(one, stream(10))) {
            lazy.setReceiveBufferSize(4_096);
            int port = URI.create(one.url()).getPort();
            lazy.connect(new InetSocketAddress("127.0.0.1", port));
            lazy.getOutputStream()
                    .write(("GET " + stream(10) + " HTTP/1.1\r\nHost: localhost:" + port + "\r\n\r\n")
                            .getBytes(StandardCharsets.UTF_8));
            Scene.until(
                    "both are there",
                    () -> json(one, "/live/stats").at("/events/E10").asInt() == 2);
            int sent = 0;
            while (json(one, "/live/stats").at("/events/E10").asInt() == 2 && sent < 60_000) {
                scene.database.run(
                        "SELECT manual_cache_invalidation('E10', repeat('x', 1000)) FROM generate_series(1, 1000)");
                sent += 1_000;
                busy.await(sent);
            }
            assertEquals(1, json(one, "/live/stats").at("/events/E10").asInt(), "after " + sent + " events");
            assertEquals(published(10), ids(busy));
            assertEquals(before + 1, slowReaders());
        }
    }

    private static double slowReaders() throws Exception {
        Matcher counted = Pattern.compile("(?m)^freshet_live_slow_readers_total (\\S+)")
                .matcher(one.get("/observe/metrics").body());
        assertTrue(counted.find());
        return Double.parseDouble(counted.group(1));
    }

    @Test
    void a_thousand_streams_each_get_their_own_events() throws Exception {
        List<EventStream> streams = new ArrayList<>();
        try {
            for (int i = 0; i < 1_000; i++) {
                streams.add(EventStream.open(one, stream(101 + i % 100)));
            }
            JsonNode stats = json(one, "/live/stats");
            assertTrue(stats.get("subscribers").asInt() >= 1_000, stats::toString);
            assertEquals(10, stats.at("/events/E101").asInt());
            for (int round = 0; round < 3; round++) {
                scene.database.run("INSERT INTO votes (art_id) SELECT n FROM generate_series(101, 200) n");
            }
            for (int i = 0; i < 1_000; i++) {
                String eid = "\"event_eid\":\"E" + (101 + i % 100) + '"';
                List<Event> events = streams.get(i).await(3);
                assertTrue(
                        events.size() == 3
                                && events.stream()
                                        .allMatch(event -> event.data().contains(eid)),
                        events::toString);
            }
        } finally {
            streams.forEach(EventStream::close);
        }
        Scene.until(
                "all are gone",
                () -> json(one, "/live/stats").at("/events/E101").isMissingNode());
    }

    @Test
    void sigterm_tells_clients_when_to_reconnect_and_ends_their_streams() throws Exception {
        FreshetProcess leaving = scene.start();
        EventStream stream = EventStream.open(leaving, stream(11));
        EventStream replaying = EventStream.open(leaving, stream(11) + "?lastEventId=0");
        assertEquals(0, leaving.term(), leaving.log());
        for (EventStream ended : List.of(stream, replaying)) {
            assertTrue(ended.hasEnded());
            assertEquals(
                    2,
                    ended.others().stream()
                            .filter(line -> line.startsWith("retry: "))
                            .count(),
                    ended.others()::toString);
        }
        assertFalse(leaving.log().contains("WARN") || leaving.log().contains("ERROR"), leaving.log());
    }

    @Test
    void streams_are_limited_per_address_and_the_key_is_in_no_log() throws Exception {
        try (Scene aside = new Scene(
                "FRESHET_LIVE_CONNECTIONS=2",
                "FRESHET_LIVE_KEY=live-key-5f5f",
                "INTERNAL_API_KEY=full-key",
                "FRESHET_LIVE_ORIGINS=https://a.example",
                "FRESHET_LOG_LEVEL=TRACE")) {
            FreshetProcess freshet = aside.start();
            assertTrue(EventStream.open(freshet, "/live/E/stream").head().startsWith("HTTP/1.1 401"));
            EventStream first = EventStream.open(
                    freshet, "/live/E/stream?key=live-key-5f5f&lastEventId=0", "Origin: https://a.example");
            assertTrue(
                    first.head().contains("access-control-allow-origin: https://a.example")
                            || first.head().contains("Access-Control-Allow-Origin: https://a.example"),
                    first.head());
            EventStream.open(freshet, "/live/F/stream?key=live-key-5f5f");
            String refused = EventStream.open(freshet, "/live/G/stream?key=live-key-5f5f")
                    .head();
            assertTrue(
                    refused.startsWith("HTTP/1.1 429") && refused.toLowerCase().contains("retry-after: "), refused);
            assertEquals(
                    202,
                    api(freshet)
                            .post("/live/E/invalidate", "", "x-api-key: full-key")
                            .status());
            assertEquals("manual_invalidation", first.await(1).get(0).type());
            first.close();
            Scene.until("there is room again", () -> {
                try (EventStream next = EventStream.open(freshet, "/live/G/stream?key=live-key-5f5f")) {
                    return next.head().startsWith("HTTP/1.1 200");
                }
            });
            assertFalse(freshet.log().contains("live-key-5f5f"));
        }
    }

    @Test
    void a_hint_is_enough_without_polling() throws Exception {
        try (Scene aside = new Scene()) {
            aside.start();
            aside.set(
                    "FRESHET_LIVE_POLL=1h",
                    "FRESHET_LIVE_PROBE=1h",
                    "FRESHET_LISTEN_URL=" + aside.database.url(),
                    "DATABASE_URL=" + aside.database.url() + "?pgbouncer=true");
            FreshetProcess deaf = aside.start();
            Scene.until(
                    "it listens",
                    () -> aside.isTrue(
                            "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND query ~*"
                                    + " '^listen'"));
            try (EventStream stream = EventStream.open(deaf, "/live/E/stream")) {
                aside.database.run("SELECT manual_cache_invalidation('E')");
                stream.await(1);
            }
        }
    }

    @Test
    void behind_a_pooler_everything_is_found_by_polling() throws Exception {
        try (Scene aside = new Scene()) {
            aside.set("DATABASE_URL=" + aside.database.url() + "?pgbouncer=true");
            FreshetProcess freshet = aside.start();
            try (EventStream stream = EventStream.open(freshet, "/live/E/stream")) {
                aside.database.run("SELECT manual_cache_invalidation('E')");
                stream.await(1);
            }
            assertTrue(aside.isTrue(
                    "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND query ~*"
                            + " '^listen'"));
            assertFalse(freshet.log().contains("WARN"), freshet.log());
        }
    }

    @Test
    void without_hints_a_warning_is_logged_and_events_are_delivered_nevertheless() throws Exception {
        try (Scene aside = new Scene("FRESHET_LISTEN_URL=postgres://nobody:secret-9d9d@127.0.0.1:1/nowhere")) {
            FreshetProcess freshet = aside.start();
            try (EventStream stream = EventStream.open(freshet, "/live/E/stream")) {
                aside.database.run("SELECT manual_cache_invalidation('E')");
                stream.await(1);
            }
            freshet.waitForLog(java.util.regex.Pattern.compile("No hints from other instances"));
            assertFalse(freshet.log().contains("secret-9d9d"), freshet.log());
        }
    }

    // over HTTP

    @Test
    void history_is_paged_oldest_first() throws Exception {
        scene.database.run(
                "INSERT INTO bids (art_id, amount) SELECT 12, n FROM generate_series(1, 1200) n; INSERT INTO votes"
                        + " (art_id) VALUES (13)");
        Scene.until(
                "published", () -> published(12).size() == 1200 && published(13).size() == 1);
        JsonNode page = json(one, "/live/E12/history?limit=5000");
        assertEquals(1000, page.get("events").size());
        assertEquals(published(12).get(999), page.get("next").asLong());
        JsonNode entry = page.get("events").get(0);
        assertEquals("[id, type, payload]", names(entry).toString());
        assertEquals(
                "bid_placed E12 1",
                entry.get("type").asText()
                        + ' '
                        + entry.at("/payload/event_eid").asText()
                        + ' '
                        + entry.at("/payload/amount").asText());
        JsonNode rest = json(
                other, "/live/E12/history?limit=5000&after=" + page.get("next").asLong());
        assertEquals(200, rest.get("events").size());
        assertTrue(rest.get("next").asLong() >= published(13).get(0), "past what belongs to others");
        assertEquals(
                "false 0 " + rest.get("next"),
                summary(json(one, "/live/E12/history?after=" + rest.get("next").asLong())));
        assertEquals(50, json(one, "/live/E12/history").get("events").size());
        assertEquals(
                "true 0",
                summary(json(one, "/live/E12/history?after=999999999")).substring(0, 6));
        assertEquals(
                "[]", json(one, "/live/nobody/history?after=0").get("events").toString());
    }

    private static String summary(JsonNode page) {
        return page.get("reset") + " " + page.get("events").size() + " " + page.get("next");
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @ParameterizedTest
    @CsvSource({
        "/live/E/history?limit=0,limit",
        "/live/E/history?limit=-1,limit",
        "/live/E/history?limit=many,limit",
        "/live/E/history?after=x,after",
        "/live/E/history?after=-1,after",
        "/live/a%20b/history,eid",
        "/live/a%20b/stream,eid",
        "/live/%C3%84/stream,eid",
        "/live/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/stream,eid",
        "/live/a*b/history,eid"
    })
    void a_malformed_parameter_is_answered_with_400_and_named(String path, String field) {
        RawHttp.Answer answer = api(one).ask("GET " + path);
        assertEquals(400, answer.status(), answer.body());
        assertEquals("application/problem+json", answer.header("content-type"));
        assertTrue(answer.json().get("error").asText().startsWith(field + ": "), answer.body());
    }

    @Test
    void a_manual_invalidation_over_http_reaches_its_stream() throws Exception {
        try (EventStream stream = EventStream.open(one, "/live/By.hand_1-x/stream")) {
            RawHttp.Answer answer =
                    api(other).post("/live/By.hand_1-x/invalidate", "", "Content-Type: application/json");
            assertEquals(
                    "202 {\"success\":true,\"event_eid\":\"By.hand_1-x\","
                            + "\"endpoints\":[\"/live/event/By.hand_1-x\",\"/live/event/By.hand_1-x/media\"]}",
                    answer.status() + " " + answer.body());
            String longest = "/" + "é".repeat(1_023);
            assertEquals(
                    202,
                    api(other)
                            .post(
                                    "/live/By.hand_1-x/invalidate",
                                    "{\"endpoint\":\"" + longest + "\"}",
                                    "Content-Type: application/json")
                            .status());
            List<Event> events = stream.await(2);
            assertEquals(List.of("manual_invalidation", "manual_invalidation"), stream.types());
            assertTrue(events.get(1).data().contains("\"endpoints\":[\"" + longest + "\"]"));
        }
        Map<String, Integer> wrong = new HashMap<>(Map.of(
                "{\"endpoint\":\"\"}",
                400,
                "{\"endpoint\":7}",
                400,
                "{\"endpoint\":\"" + "x".repeat(1_025) + "\"}",
                400,
                "[]",
                400,
                "{",
                400,
                "{\"endpoint\":null}",
                202));
        wrong.forEach((body, status) -> assertEquals(
                status,
                api(one).post("/live/E/invalidate", body, "Content-Type: application/json")
                        .status(),
                body));
        assertEquals(
                400,
                api(one).post("/live/a%20b/invalidate", "", "Content-Type: application/json")
                        .status());
        assertEquals(
                405,
                api(one).post("/live/E/stream", "", "Content-Type: application/json")
                        .status());
        Scene.until(
                "it is in the audit",
                () -> scene.isTrue("SELECT count(*) >= 1 FROM invalidation_audit WHERE kind = 'request' AND detail ="
                        + " 'live-invalidate?By.hand_1-x'"));
    }

    @Test
    void metrics_report_how_many_events_and_how_fast() throws Exception {
        try (EventStream stream = EventStream.open(one, stream(14));
                EventStream elsewhere = EventStream.open(other, stream(14))) {
            scene.database.run("INSERT INTO votes (art_id) VALUES (14), (77777)");
            stream.await(1);
            elsewhere.await(1);
            String metrics = one.get("/observe/metrics").body();
            for (String name : List.of(
                    "freshet_live_subscribers ",
                    "freshet_live_events_total ",
                    "freshet_live_latency_seconds_bucket{",
                    "freshet_live_latency_seconds_count ")) {
                assertTrue(
                        metrics.contains("\n" + name),
                        name + " in "
                                + metrics.lines()
                                        .filter(line -> line.contains("live"))
                                        .toList());
            }
            Scene.until(
                    "what was skipped is counted",
                    () -> one.get("/observe/metrics").body().contains("\nfreshet_live_skipped_total "));
        }
    }

    @Test
    void published_ids_have_no_gaps() throws Exception {
        vote(15);
        Scene.until("published", () -> published(15).size() == 1);
        List<String> ids = scene.database.list("SELECT id FROM freshet.live_event ORDER BY id");
        assertEquals(
                LongStream.rangeClosed(1, ids.size()).mapToObj(Long::toString).toList(), ids);
    }
}
