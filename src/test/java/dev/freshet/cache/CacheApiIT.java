package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Sections 5 and 6 over HTTP: the invalidation service, the registry of caches, and the rules for entities. */
class CacheApiIT {
    private static final String JSON = "Content-Type: application/json";
    private static final String KEY = "x-api-key: full-key-51b2";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static Scene scene;
    private static RawHttp api;
    private static RawHttp other;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "FRESHET_BUCKET=1s",
                "FRESHET_DEBOUNCE=1d",
                "FRESHET_QUEUE_POLL=1h",
                "INTERNAL_API_KEY=full-key-51b2",
                "FRESHET_READ_KEY=read-key-90c1");
        api = new RawHttp(URI.create(scene.start().url()).getPort());
        other = new RawHttp(URI.create(scene.start().url()).getPort());
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        scene.database.run("DELETE FROM cache_entries; DELETE FROM freshet.inbox");
    }

    @ParameterizedTest
    @CsvSource({
        "POST,/invalidate/key,400,403",
        "POST,/invalidate/pattern,400,403",
        "GET,/invalidate/metrics,200,200",
        "GET,/audit/logs,200,200",
        "GET,/audit/verify,200,200",
        "PUT,/api/cache/entries/k,204,403",
        "GET,/api/cache/entries/none,404,404",
        "DELETE,/api/cache/entries/k,204,403",
        "POST,/api/admin/cache/clear,400,403",
        "POST,/api/cache/invalidate,400,403",
        "GET,/api/admin/cache/stats,200,200"
    })
    void a_key_opens_only_what_it_is_for(String method, String path, int full, int read) {
        assertEquals(401, api.ask(method + ' ' + path).status());
        assertEquals(full, api.ask(method + ' ' + path, KEY).status());
        assertEquals(
                read, api.ask(method + ' ' + path, "x-api-key: read-key-90c1").status());
    }

    @Test
    void an_entry_is_written_read_and_removed() throws Exception {
        assertEquals(
                204,
                put(
                                "user:1",
                                "{\"value\":{\"name\":\"Ada\",\"n\":1e400,"
                                        + "\"big\":123456789012345678901234567890.5},\"tags\":[\"users\",\"users\"]}")
                        .status());
        RawHttp.Answer read = api.ask("GET /api/cache/entries/user:1", KEY);
        assertEquals("application/json", read.header("content-type"));
        assertEquals(
                "{\"key\":\"user:1\",\"value\":{\"n\":1" + "0".repeat(400)
                        + ",\"big\":123456789012345678901234567890.5,"
                        + "\"name\":\"Ada\"},\"tags\":[\"users\"],\"expires_at\":null}",
                read.body().replace(" ", ""));
        assertEquals(204, put("user:1", "{\"tags\":[\"people\"]}").status());
        assertEquals(
                "{\"key\":\"user:1\",\"value\":null,\"tags\":[\"people\"],\"expires_at\":null}",
                get("user:1").body());
        assertEquals(204, api.ask("DELETE /api/cache/entries/user:1", KEY).status());
        assertEquals(404, get("user:1").status());
        assertEquals(204, api.ask("DELETE /api/cache/entries/user:1", KEY).status(), "none any more, as was asked");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a/b",
                "a%b",
                "a b",
                "a+b",
                "a?b#c",
                "日本語:🚀",
                "o'hara\"",
                "${body}",
                "{{x}}",
                "a\nb",
                "a\\b",
                "..;x",
                "%2F",
                "{cacheKey}"
            })
    void percent_encoded_keys_may_contain_anything(String key) throws Exception {
        assertEquals(204, put(encoded(key), "{\"value\":1}").status());
        assertEquals(key, get(encoded(key)).json().get("key").asText());
        assertEquals(
                1,
                post("/invalidate/key", MAPPER.writeValueAsString(java.util.Map.of("keys", List.of(key))))
                        .get("invalidated_count")
                        .asInt());
        assertEquals(404, get(encoded(key)).status());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"ttl_seconds\":0}|ttl_seconds",
                "{\"ttl_seconds\":-1}|ttl_seconds",
                "{\"ttl_seconds\":\"60\"}|ttl_seconds",
                "{\"ttl_seconds\":1e999}|ttl_seconds",
                "{\"expires_at\":\"tomorrow\"}|expires_at",
                "{\"expires_at\":5}|expires_at",
                "{\"expires_at\":\"2030-01-01T00:00:00Z\",\"ttl_seconds\":5}|expires_at",
                "{\"tags\":\"x\"}|tags",
                "{\"tags\":[\"\"]}|tags",
                "{\"tags\":[7]}|tags",
                "{\"value\":1e999999999}|number",
                "[]|body",
                "{\"value\":\"\\u0000\"}|value",
                "{\"value\":\"\\ud800\"}|value"
            })
    void a_wrong_entry_is_refused_with_its_field(String body, String field) {
        RawHttp.Answer refused = put("wrong", body);
        assertEquals(400, refused.status(), refused.body());
        assertTrue(refused.json().get("error").asText().contains(field), refused.body());
        assertEquals(404, get("wrong").status());
    }

    @Test
    void an_expired_entry_is_counted_as_a_miss_and_matches_no_pattern() throws Exception {
        put("gone", "{\"ttl_seconds\":0.001}");
        // recent enough not to be removed before it is counted
        OffsetDateTime past =
                OffsetDateTime.now(ZoneOffset.ofHoursMinutes(5, 45)).minusMinutes(1);
        put("past", "{\"expires_at\":\"" + past + "\"}");
        put("there", "{\"expires_at\":\"2100-01-01T00:00:00Z\"}");
        Scene.until("expired", () -> get("gone").status() == 404);
        assertEquals(
                "2100-01-01T00:00:00.000Z",
                get("there").json().get("expires_at").asText());
        JsonNode stats = api.ask("GET /api/admin/cache/stats", KEY).json();
        assertEquals(
                "[3,2]",
                "[" + stats.at("/cache_stats/totalEntries") + "," + stats.at("/cache_stats/expiredEntries") + "]");
        assertEquals("high", stats.at("/recommendations/expired_entries_status").asText());
        assertEquals(
                "[\"there\"]",
                post("/invalidate/pattern", "{\"pattern\":\"*\"}")
                        .get("matched_keys")
                        .toString());
    }

    @Test
    void the_hit_rate_includes_all_instances_and_sql() throws Exception {
        put("here", "{\"value\":1}");
        other.ask("GET /api/admin/cache/stats", KEY);
        JsonNode before = api.ask("GET /api/admin/cache/stats", KEY).json().get("cache_stats");
        for (int i = 0; i < 3; i++) {
            get("here");
        }
        get("nowhere");
        other.ask("GET /api/cache/entries/here", KEY);
        other.ask("GET /api/admin/cache/stats", KEY);
        scene.database.run("SELECT cache_entry_get('here'), cache_entry_get('nowhere'), cache_entry_get('nowhere')");
        JsonNode after = api.ask("GET /api/admin/cache/stats", KEY).json();
        long hits = after.at("/cache_stats/hits").asLong();
        long misses = after.at("/cache_stats/misses").asLong();
        assertEquals(5, hits - before.get("hits").asLong());
        assertEquals(3, misses - before.get("misses").asLong());
        double rate = after.at("/cache_stats/hitRate").asDouble();
        assertEquals(100.0 * hits / (hits + misses), rate, 0.006);
        assertEquals(
                rate > 80 ? "excellent" : rate > 60 ? "good" : "needs_improvement",
                after.at("/recommendations/hit_rate_status").asText());
        scene.database.run("INSERT INTO freshet.tally VALUES ('cache_hits', 100000)");
        assertEquals(
                "excellent",
                api.ask("GET /api/admin/cache/stats", KEY)
                        .json()
                        .at("/recommendations/hit_rate_status")
                        .asText());
        scene.database.run("INSERT INTO freshet.tally VALUES ('cache_misses', 45000)");
        assertEquals(
                "good",
                api.ask("GET /api/admin/cache/stats", KEY)
                        .json()
                        .at("/recommendations/hit_rate_status")
                        .asText());
    }

    @Test
    void reading_an_entry_does_not_wait_for_a_session_that_holds_it() throws Exception {
        put("held", "{\"value\":1}");
        try (Connection holder = scene.database.connect()) {
            holder.setAutoCommit(false);
            TestDatabase.run(
                    holder,
                    "UPDATE cache_entries SET value = '2'; SELECT cache_entry_get('held'); LOCK TABLE freshet.counter"
                            + " IN SHARE MODE");
            assertEquals("1", get("held").json().get("value").toString());
            assertEquals(200, api.ask("GET /api/admin/cache/stats", KEY).status());
            holder.rollback();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "clear|{\"type\":\"products\"}|job_readiness_products,products",
                "clear|{\"type\":\"products\",\"clientId\":\"7\"}|job_readiness_products,products,client:7",
                "clear|{\"type\":\"expert_sessions\",\"productId\":9}|expert_sessions,job_readiness,product:9",
                "clear|{\"type\":\"client_configs\",\"clientId\":7,\"moduleId\":3}|"
                        + "client_configs,clients,settings,client:7",
                "clear|{\"type\":\"module_content\",\"moduleId\":\"m{clientId}\",\"clientId\":1}|"
                        + "module_content,modules,lessons,module:m{clientId}",
                "clear|{\"type\":\"products\",\"clientId\":\"\",\"moduleId\":\"\"}|job_readiness_products,products",
                "related|{\"event\":\"onExpertSessionModified\",\"productId\":\"\"}|expert_sessions,job_readiness",
                "related|{\"products\":true,\"clientId\":\"\"}|job_readiness_products,products",
                "clear|{\"type\":\"all_phase2\"}|job_readiness_products,expert_sessions,client_configs,module_content",
                "clear|{\"type\":\"all_phase1\"}|users,clients,analytics,dashboard",
                "related|{\"event\":\"onProductCreated\",\"productId\":1,\"clientId\":2}|"
                        + "job_readiness_products,products,client:2,client_configs,clients,settings,product:1",
                "related|{\"event\":\"onExpertSessionModified\",\"productId\":1}|"
                        + "expert_sessions,job_readiness,product:1",
                "related|{\"event\":\"onModuleContentModified\",\"moduleId\":1}|"
                        + "module_content,modules,lessons,module:1",
                "related|{\"event\":\"onClientConfigModified\",\"clientId\":5}|"
                        + "job_readiness_products,products,client:5,client_configs,clients,settings",
                "related|{\"event\":\"onBulkDataImport\"}|"
                        + "job_readiness_products,expert_sessions,client_configs,module_content",
                "related|{\"products\":true,\"moduleContent\":true,\"clientConfigs\":false,\"moduleId\":1}|"
                        + "job_readiness_products,products,module_content,modules,lessons,module:1",
                "related|{\"tags\":[\"a\",\"b\",\"a\"]}|a,b"
            })
    void the_tags_of_an_event_are_queued_and_published_and_their_entries_removed(String how, String body, String tags)
            throws Exception {
        put("hit", "{\"tags\":[\"" + tags.split(",")[0] + "\"]}");
        put("missed", "{\"tags\":[\"something-else\"]}");
        // recent enough not to be removed before the call
        String expired = Instant.now().minusSeconds(60).toString();
        put("expired", "{\"tags\":[\"" + tags.split(",")[0] + "\"],\"expires_at\":\"" + expired + "\"}");
        try (Topic topic = new Topic()) {
            JsonNode answer = post(how.equals("clear") ? "/api/admin/cache/clear" : "/api/cache/invalidate", body);
            assertEquals(1, answer.get("invalidated_entries").asInt());
            assertTrue(answer.get("success").asBoolean());
            if (how.equals("clear")) {
                assertEquals(MAPPER.readTree(body).get("type"), answer.get("cache_type"));
            }
            assertEquals(
                    new TreeSet<>(List.of(tags.split(","))),
                    new TreeSet<>(scene.database.list("SELECT tag FROM freshet.inbox")));
            JsonNode event = topic.next();
            assertEquals(new TreeSet<>(List.of(tags.split(","))), new TreeSet<>(texts(event.get("tags"))));
            assertEquals(
                    new TreeSet<>(List.of(("hit,expired," + tags).split(","))),
                    new TreeSet<>(texts(event.get("matched_keys"))));
        }
        assertEquals(404, get("hit").status());
        assertEquals(200, get("missed").status());
    }

    @Test
    void changed_rules_hold_for_the_next_call() throws Exception {
        scene.database.run(
                "UPDATE cache_tag_rules SET tags = tags || ARRAY['catalogue:{clientId}'] WHERE name = 'products';"
                        + " INSERT INTO cache_tag_rules (name, tags, option)"
                        + " VALUES ('reports', '{reports}', 'reports')");
        try {
            post("/api/cache/invalidate", "{\"event\":\"onClientConfigModified\",\"clientId\":5}");
            assertTrue(scene.database.list("SELECT tag FROM freshet.inbox").contains("catalogue:5"));
            assertEquals(
                    "reports",
                    post("/api/admin/cache/clear", "{\"type\":\"reports\"}")
                            .get("cache_type")
                            .asText());
            post("/api/cache/invalidate", "{\"reports\":true}");
        } finally {
            scene.database.run(
                    "UPDATE cache_tag_rules SET tags = array_remove(tags, 'catalogue:{clientId}'); DELETE FROM"
                            + " cache_tag_rules WHERE name = 'reports'");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "/api/admin/cache/clear|{\"type\":\"nonsense\"}|Invalid cache type",
                "/api/admin/cache/clear|{}|Invalid cache type",
                "/api/admin/cache/clear|{\"type\":5}|Invalid cache type",
                "/api/admin/cache/clear|{\"type\":\"onBulkDataImport\"}|Invalid cache type",
                "/api/admin/cache/clear|{\"type\":\"products\",\"clientId\":[1]}|clientId",
                "/api/cache/invalidate|{}|body",
                "/api/cache/invalidate|{\"products\":\"yes\"}|products",
                "/api/cache/invalidate|{\"tags\":[\"\"]}|tags",
                "/api/cache/invalidate|{\"product\":true}|body",
                "/api/cache/invalidate|{\"event\":\"products\"}|event"
            })
    void a_wrong_request_is_refused_with_its_field_and_has_no_effect(String path, String body, String field)
            throws SQLException {
        RawHttp.Answer refused = api.post(path, body, JSON, KEY);
        assertEquals(400, refused.status(), refused.body());
        assertTrue(refused.json().get("error").asText().startsWith(field), refused.body());
        assertEquals("0", scene.database.one("SELECT count(*) FROM freshet.inbox"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"products\":false,\"clientId\":\"7\"}", "{\"tags\":[]}"})
    void a_request_that_names_nothing_invalidates_nothing(String body) throws Exception {
        assertEquals(
                0,
                post("/api/cache/invalidate", body).get("invalidated_entries").asInt());
        assertEquals("0", scene.database.one("SELECT count(*) FROM freshet.inbox"));
    }

    @Test
    void an_invalidated_key_is_gone_from_the_registry_but_still_matched_by_a_pattern() throws Exception {
        put("user:1", "{\"value\":1}");
        put("user:2", "{\"value\":1}");
        assertEquals(
                "[\"user:1\"]",
                post("/invalidate/key", "{\"keys\":[\"user:1\"]}").get("keys").toString());
        assertEquals(404, get("user:1").status());
        assertEquals(
                "0",
                api.ask("GET /api/admin/cache/stats", KEY)
                        .json()
                        .at("/cache_stats/expiredEntries")
                        .toString(),
                "it did not expire");
        assertEquals(
                2,
                post("/invalidate/pattern", "{\"pattern\":\"user:*\"}")
                        .get("invalidated_count")
                        .asInt());
        assertEquals(404, get("user:2").status());
        put("user:1", "{\"value\":2}");
        assertEquals("2", get("user:1").json().get("value").toString());
        scene.database.run(
                "UPDATE cache_entries SET updated_at = now() - interval '2 hours', expires_at = CASE cache_key WHEN"
                        + " 'user:1' THEN now() - interval '2 hours' ELSE expires_at END");
        Scene.until(
                "forgotten",
                () -> scene.database.one("SELECT count(*) FROM cache_entries").equals("0"));
    }

    @Test
    void twenty_equal_requests_on_two_instances_and_both_paths_count_as_one() throws Exception {
        put("once", "{\"value\":1}");
        try (Topic topic = new Topic()) {
            List<CompletableFuture<RawHttp.Answer>> asked = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                RawHttp instance = i % 2 == 0 ? api : other;
                String path = i % 3 == 0 ? "/invalidate/key" : "/invalidate/pattern";
                asked.add(CompletableFuture.supplyAsync(() -> instance.post(
                        path, "{\"keys\":[\"once\"],\"pattern\":\"once\",\"request_id\":\"once\"}", JSON, KEY)));
            }
            TreeSet<String> answers = new TreeSet<>();
            asked.forEach(answer -> answers.add(answer.join().body()));
            assertEquals(1, answers.size(), answers::toString);
            assertEquals(
                    answers.first(),
                    api.post("/invalidate/key", "{\"keys\":7,\"request_id\":\"once\"}", JSON, KEY)
                            .body(),
                    "with whatever body");
            topic.next();
            assertEquals("1", scene.database.one("SELECT count(*) FROM invalidation_audit WHERE request_id = 'once'"));
            post("/invalidate/key", "{\"keys\":[\"after\"]}");
            assertEquals("[\"after\"]", topic.next().get("matched_keys").toString(), "nothing else came before it");
        }
        assertEquals(
                "0",
                scene.database.one(
                        "SELECT count(*) FROM freshet.invalidation_request WHERE asked_at < now() - interval '24"
                                + " hours'"));
        scene.database.run(
                "UPDATE freshet.invalidation_request SET asked_at = now() - interval '25 hours' WHERE request_id ="
                        + " 'once'");
        Scene.until(
                "forgotten",
                () -> scene.database
                        .one("SELECT count(*) FROM freshet.invalidation_request WHERE request_id = 'once'")
                        .equals("0"));
    }

    @Test
    void a_repeated_request_gets_the_same_answer_after_a_crash() throws Exception {
        FreshetProcess third = scene.start();
        String body = "{\"keys\":[\"crash\"],\"request_id\":\"crash\"}";
        RawHttp.Answer first = new RawHttp(URI.create(third.url()).getPort()).post("/invalidate/key", body, JSON, KEY);
        third.kill9();
        assertEquals(first.body(), api.post("/invalidate/key", body, JSON, KEY).body());
        assertEquals("1", scene.database.one("SELECT count(*) FROM invalidation_audit WHERE request_id = 'crash'"));
    }

    @Test
    void an_entry_that_is_locked_for_long_is_answered_with_503_and_nothing_is_half_done() throws Exception {
        put("locked", "{\"value\":1}");
        try (Connection holder = scene.database.connect();
                Connection settings = scene.database.connect()) {
            holder.setAutoCommit(false);
            TestDatabase.run(holder, "UPDATE cache_entries SET value = '2' WHERE cache_key = 'locked'");
            TestDatabase.run(settings, "ALTER DATABASE " + scene.database.name() + " SET lock_timeout = '300ms'");
            FreshetProcess impatient = scene.start();
            RawHttp.Answer busy = new RawHttp(URI.create(impatient.url()).getPort())
                    .post("/invalidate/key", "{\"keys\":[\"locked\"],\"request_id\":\"locked\"}", JSON, KEY);
            assertEquals(503, busy.status(), busy.body());
            assertEquals("1", busy.header("retry-after"));
            holder.commit();
            TestDatabase.run(settings, "ALTER DATABASE " + scene.database.name() + " RESET lock_timeout");
            assertEquals(
                    1,
                    post("/invalidate/key", "{\"keys\":[\"locked\"],\"request_id\":\"locked\"}")
                            .get("invalidated_count")
                            .asInt(),
                    "it was not used up");
            impatient.kill9();
        }
        assertEquals(404, get("locked").status());
    }

    @Test
    void concurrent_requests_each_get_their_own_answer_audit_row_and_event() throws Exception {
        Set<String> keys = new TreeSet<>();
        IntStream.range(0, 60).forEach(i -> keys.add("own:" + i));
        scene.database.run("INSERT INTO cache_entries (cache_key) SELECT 'own:' || i FROM generate_series(0, 59) i");
        try (Topic topic = new Topic()) {
            Set<String> requests = new TreeSet<>();
            Set<String> answered = new TreeSet<>();
            for (JsonNode answer : allAtOnce(keys)) {
                assertEquals(1, answer.get("keys").size(), answer::toString);
                answered.add(answer.get("keys").get(0).asText());
                requests.add(answer.get("request_id").asText());
                assertTrue(answer.get("published_at").asText().endsWith("Z"), answer::toString);
            }
            assertEquals(keys, answered);
            assertEquals(60, requests.size());
            Set<String> published = new TreeSet<>();
            keys.forEach(
                    key -> published.add(topic.next().get("matched_keys").get(0).asText()));
            assertEquals(keys, published);
            assertEquals(
                    List.copyOf(requests),
                    scene.database.list(
                            "SELECT request_id FROM invalidation_audit WHERE keys ->> 0 LIKE 'own:%' AND kind ="
                                    + " 'invalidation' ORDER BY request_id COLLATE \"C\""));
        }
        assertEquals(
                "60",
                scene.database.one("SELECT count(*) FROM cache_entries"
                        + " WHERE cache_key LIKE 'own:%' AND expires_at = '-infinity'"));
    }

    @Test
    void a_request_that_waits_for_a_locked_entry_holds_up_no_other() throws Exception {
        put("held", "{\"value\":1}");
        try (Connection holder = scene.database.connect()) {
            holder.setAutoCommit(false);
            TestDatabase.run(holder, "UPDATE cache_entries SET value = '2' WHERE cache_key = 'held'");
            var waits = CompletableFuture.supplyAsync(() -> allAtOnce(Set.of("held")));
            Scene.until(
                    "it waits",
                    () -> scene.database
                            .one("SELECT count(*) FROM pg_stat_activity"
                                    + " WHERE wait_event_type = 'Lock' AND query LIKE '%freshet.invalidate(%'")
                            .equals("1"));
            Set<String> others = new TreeSet<>();
            IntStream.range(0, 15).forEach(i -> others.add("free:" + i));
            assertEquals(15, allAtOnce(others).size());
            assertFalse(waits.isDone());
            holder.commit();
            assertEquals("[\"held\"]", waits.join().get(0).get("keys").toString());
        }
        assertEquals(404, get("held").status());
    }

    /** Sends a request for each key, each in a thread of its own. */
    private static List<JsonNode> allAtOnce(Set<String> keys) {
        ExecutorService threads = Executors.newFixedThreadPool(keys.size());
        try {
            return keys.stream()
                    .map(key -> "{\"keys\":[\"" + key + "\"]}")
                    .map(body -> CompletableFuture.supplyAsync(() -> post("/invalidate/key", body), threads))
                    .toList()
                    .stream()
                    .map(CompletableFuture::join)
                    .toList();
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void more_entries_than_an_answer_lists_are_all_invalidated_and_counted() throws Exception {
        scene.database.run(
                "INSERT INTO cache_entries (cache_key) SELECT 'many:' || i FROM generate_series(1, 100500) i");
        JsonNode answer = post("/invalidate/pattern", "{\"pattern\":\"many:*\",\"request_id\":\"many\"}");
        assertEquals(100_500, answer.get("invalidated_count").asInt());
        assertEquals(100_000, answer.get("matched_keys").size());
        assertTrue(answer.get("matched_keys_capped").asBoolean());
        assertEquals("0", scene.database.one("SELECT count(*) FROM cache_entries"));
    }

    private static RawHttp.Answer put(String key, String body) {
        return api.send(
                "PUT /api/cache/entries/" + key,
                body,
                JSON,
                KEY,
                "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length);
    }

    private static RawHttp.Answer get(String key) {
        return api.ask("GET /api/cache/entries/" + key, KEY);
    }

    private static JsonNode post(String path, String body) {
        RawHttp.Answer answer = api.post(path, body, JSON, KEY);
        assertEquals(200, answer.status(), answer.body());
        return answer.json();
    }

    private static String encoded(String key) {
        return URLEncoder.encode(key, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    /** A process with a cache, which listens to the topic. */
    private static final class Topic implements AutoCloseable {
        private final Connection listener = scene.database.connect();
        private final List<JsonNode> events = new ArrayList<>();

        Topic() throws SQLException {
            TestDatabase.run(listener, "LISTEN \"cache-invalidate\"");
        }

        JsonNode next() {
            Scene.until("an event", () -> {
                var notifications = listener.unwrap(PGConnection.class).getNotifications(100);
                for (int i = 0; notifications != null && i < notifications.length; i++) {
                    events.add(MAPPER.readTree(notifications[i].getParameter()));
                }
                return !events.isEmpty();
            });
            return events.remove(0);
        }

        @Override
        public void close() throws SQLException {
            listener.close();
        }
    }
}
