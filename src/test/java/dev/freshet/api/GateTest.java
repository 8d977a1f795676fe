package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.GatedServer;
import dev.freshet.testing.RawHttp;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GateTest {

    private static final String RUN = "/functions/v1/cache-invalidation-worker";
    private static final String JSON = "Content-Type: application/json";
    private static final String FULL = "x-api-key: full-kéy";
    private static final Map<String, String> CREDENTIALS = Map.of(
            "none", "X-None: 1",
            "internal", FULL,
            "service", "authorization: bEaReR   service-key",
            "read", "Authorization: Bearer read-key",
            "anon", "Authorization: Bearer anon-key",
            "live", "Authorization: Bearer live-key",
            "wrong", "Authorization: Bearer full-key",
            "demo", "Authorization: Bearer demo-key",
            "basic", "Authorization: Basic ZnVsbC1rZXk6",
            "blank", "x-api-key: ");

    private static GatedServer open;
    private static GatedServer anonymous;
    private static GatedServer keyed;
    private static GatedServer liveKeyed;
    private static GatedServer readKeyed;

    @BeforeAll
    static void start() {
        Keys none = new Keys(null, " ", "", null, null);
        Keys some = new Keys("full-kéy", "service-key", "read-key", null, "anon-key");
        Keys all = new Keys("full-kéy", "service-key", "read-key", "live-key", "anon-key");
        open = new GatedServer(none, Bind.at("127.0.0.1", false, null), ApiRates.DEFAULT);
        anonymous = new GatedServer(none, Bind.at("0.0.0.0", true, "https://shop.example"), ApiRates.DEFAULT);
        keyed = new GatedServer(some, Bind.at("0.0.0.0", false, ""), new ApiRates(1 << 10, 1 << 14, client -> 0));
        liveKeyed = new GatedServer(
                all, Bind.at("127.0.0.1", false, "https://a.example, https://b.example"), ApiRates.DEFAULT);
        readKeyed = new GatedServer(
                new Keys(null, null, "read-key", null, "anon-key", "demo-key"),
                Bind.at("127.0.0.1", false, null),
                ApiRates.DEFAULT);
    }

    @AfterAll
    static void stop() {
        Stream.of(open, anonymous, keyed, liveKeyed, readKeyed).forEach(GatedServer::close);
    }

    // who may do what

    @ParameterizedTest(name = "{0} {1} with {2}: {3}")
    @CsvSource(textBlock = """
        GET,  /api/things/1,        none,     401
        GET,  /api/things/1,        wrong,    401
        GET,  /api/things/1,        basic,    401
        GET,  /api/things/1,        blank,    401
        GET,  /api/things/1,        internal, 200
        GET,  /api/things/1,        service,  200
        GET,  /api/things/1,        read,     200
        GET,  /api/things/1,        anon,     403
        POST, /api/things/1,        internal, 200
        POST, /api/things/1,        service,  200
        POST, /api/things/1,        read,     403
        POST, /api/things/1,        anon,     403
        GET,  /observe/metrics,     none,     401
        GET,  /observe/metrics,     read,     200
        GET,  /demo/data,           none,     401
        GET,  /unknown,             none,     401
        GET,  /unknown,             read,     404
        POST, /functions/v1/cache-invalidation-worker,             none,     401
        POST, /functions/v1/cache-invalidation-worker,             anon,     200
        POST, /functions/v1/cache-invalidation-worker/,            anon,     200
        POST, /functions/v1/cache-invalidation-worker?force=true,  anon,     403
        POST, /functions/v1/cache-invalidation-worker?FORCE=true,  anon,     403
        POST, /functions/v1/cache-invalidation-worker?f%6frce=%74rue, anon,  403
        POST, /functions/v1/cache-invalidation-worker?force=true&force=false, anon, 403
        POST, /functions/v1/cache-invalidation-worker?force=%22true%22, anon, 403
        POST, /functions/v1/cache-invalidation-worker?force=%20%27true%27, anon, 403
        POST, /functions/v1/cache-invalidation-worker?force=false&Force=true, anon, 403
        POST, /functions/v1/cache-invalidation-worker?force=false, anon,     200
        POST, /functions/v1/cache-invalidation-worker?force=,      anon,     200
        POST, /functions/v1/cache-invalidation-worker?force=1,     anon,     200
        POST, /functions/v1/cache-invalidation-worker?force=true,  internal, 200
        POST, /functions/v1/cache-invalidation-worker?force=true,  read,     403
        GET,  /functions/v1/cache-invalidation-worker,             anon,     403
        POST, /functions/v1/x/../cache-invalidation-worker,        anon,     403
        POST, /Functions/v1/cache-invalidation-worker,             anon,     403
        GET,  /live/E/history,      none,     200
        GET,  /live/E/history,      wrong,    200
        POST, /live/E/invalidate,   none,     401
        POST, /live/E/invalidate,   internal, 200
        GET,  /client/index.js,     none,     200
        GET,  /observe/health,      none,     200
        GET,  /observe/health/live, none,     200
        GET,  /openapi.json,        none,     200
        GET,  /admin/info,          none,     200
        GET,  /admin/info/,         none,     200
        POST, /admin/info,          none,     401
        GET,  /demo,                none,     200
        GET,  /admin/assets/a.css,  none,     200
        GET,  /demo/assets/a.css,   none,     200
        TRACE, /api/things/1,       read,     403
        """)
    void a_key_opens_only_what_it_is_for(String method, String target, String who, int status) {
        RawHttp.Answer answer = keyed.http.ask(method + " " + target, CREDENTIALS.get(who));
        assertEquals(status, answer.status(), answer.body());
        assertEquals(status == 401 ? "Bearer" : null, answer.header("WWW-Authenticate"));
        if (status >= 400) {
            assertProblem(answer);
        }
    }

    @ParameterizedTest(name = "{0} {1} with {2}: {3}")
    @CsvSource(textBlock = """
        GET,  /live/E/history,              none,     401
        GET,  /live/E/history,              wrong,    401
        GET,  /live/E/history?key=wrong,    none,     401
        GET,  /live/E/history?key=live-key, none,     200
        HEAD, /live/E/history?key=live-key, none,     200
        GET,  /live/E/history?key=read-key, none,     401
        GET,  /live/E/history,              live,     200
        GET,  /live/E/history,              read,     200
        GET,  /live/E/history,              internal, 200
        GET,  /live/E/history,              anon,     403
        POST, /live/E/invalidate?key=live-key, none,  401
        POST, /live/E/invalidate,           live,     403
        GET,  /api/things/1,                live,     403
        GET,  /api/things/1?key=live-key,   none,     401
        GET,  /live/../api/things/1?key=live-key, none, 401
        """)
    void a_live_key_closes_live_reading_and_opens_nothing_else(String method, String target, String who, int status) {
        RawHttp.Answer answer = liveKeyed.http.ask(method + " " + target, CREDENTIALS.get(who));
        assertEquals(status, answer.status(), answer.body());
    }

    @ParameterizedTest(name = "{0} {1} with {2}: {3}")
    @CsvSource(textBlock = """
        GET,  /api/things/1,      none,  401
        GET,  /api/things/1,      wrong, 401
        GET,  /api/things/1,      read,  200
        GET,  /observe/metrics,   none,  401
        POST, /api/things/1,      none,  401
        POST, /api/things/1,      read,  403
        POST, /live/E/invalidate, none,  401
        POST, /live/E/invalidate, read,  403
        GET,  /live/E/history,    none,  200
        GET,  /observe/health,    none,  200
        GET,  /admin/info,        none,  200
        POST, /demo/api/vote,                       demo, 403
        GET,  /demo/data,                           demo, 403
        POST, /demo/api/revalidate,                 none, 401
        POST, /demo/api/revalidate,                 demo, 404
        POST, /demo/api/internal/cache/invalidate,  demo, 404
        POST, /functions/v1/cache-invalidation-worker,            anon, 200
        POST, /functions/v1/cache-invalidation-worker?force=true, anon, 403
        """)
    void a_read_key_alone_closes_everything_and_opens_reading(String method, String target, String who, int status) {
        RawHttp.Answer answer = readKeyed.http.ask(method + " " + target, CREDENTIALS.get(who));
        assertEquals(status, answer.status(), answer.body());
    }

    @Test
    void with_a_read_key_alone_a_refused_change_is_told_which_key_changes_need() {
        String alone = readKeyed
                .http
                .ask("POST /api/things/1", CREDENTIALS.get("read"))
                .body();
        assertTrue(alone.contains("changes need INTERNAL_API_KEY, which is not set"), alone);
        String beside =
                keyed.http.ask("POST /api/things/1", CREDENTIALS.get("read")).body();
        assertTrue(beside.contains("this key may read only: changes need INTERNAL_API_KEY"), beside);
    }

    @Test
    void the_live_key_gets_no_further_than_the_gate() {
        RawHttp.Answer answer = liveKeyed.http.ask(
                "GET /live/E/history?after=a%26b%20c&key=live-key&limit=5", "Origin: https://a.example");
        assertEquals(200, answer.status());
        assertFalse(
                liveKeyed.witness.headers().toString().contains("live-key"),
                liveKeyed.witness.headers().toString());
        assertEquals("a&b c", liveKeyed.witness.headers().get("after"));
        assertEquals("5", liveKeyed.witness.headers().get("limit"));
        assertEquals("https://a.example", answer.header("Access-Control-Allow-Origin"));
        assertEquals("nosniff", answer.header("X-Content-Type-Options"));
    }

    @Test
    void keys_do_not_reach_routes() {
        assertEquals(
                200,
                keyed.http
                        .ask("GET /api/things/1", FULL, CREDENTIALS.get("service"))
                        .status());
        assertFalse(
                keyed.witness.headers().toString().matches("(?s).*(full-k|service-key).*"),
                keyed.witness.headers().toString());
        String beside = keyed.http
                .ask("GET /beside", FULL, CREDENTIALS.get("service"), "CamelFileName: x")
                .body();
        assertTrue(beside.contains("Host=localhost"), beside);
        assertFalse(beside.matches("(?s).*(full-k|service-key|Camel).*"), beside);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-HTTP-Method-Override: POST",
                "X-Method-Override: POST",
                "X-HTTP-Method: POST",
                "CamelHttpMethod: POST"
            })
    void method_override_headers_are_ignored(String override) {
        assertEquals(
                200,
                keyed.http
                        .ask("GET /api/things/1", CREDENTIALS.get("read"), override)
                        .status());
        assertEquals("GET", keyed.witness.headers().get("CamelHttpMethod"));
        assertEquals(
                403,
                keyed.http
                        .ask("POST /api/things/1", CREDENTIALS.get("read"), override.replace("POST", "GET"))
                        .status());
    }

    @Test
    void a_header_cannot_force_the_manual_run() {
        assertEquals(
                200,
                keyed.http
                        .ask("POST " + RUN, CREDENTIALS.get("anon"), "force: true")
                        .status());
        assertNull(keyed.witness.headers().get("force"));
    }

    // paths that can be read in two ways

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/live/../api/things/1",
                "/live/%2e%2e/api/things/1",
                "/live/%2E%2E/api/things/1",
                "/live/.%2e/api/things/1",
                "/live/..%2fapi/things/1",
                "/live/..%2Fapi%2Fthings/1",
                "/live/%252e%252e/api/things/1",
                "/live/..%5capi/things/1",
                "/live//../api/things/1",
                "/live//E/history",
                "//live/E/history",
                "/live/./E/history",
                "/live/E/..",
                "/live/E/.",
                "/client/..;/api/things/1",
                "/live;a=b/E/history",
                "/client/;/../../api/things/1",
                "/LIVE/E/history",
                "/Live/E/history",
                "/admin/INFO",
                "/openapi.json/..",
                "/openapi.json/x",
                "/demo/../api/things/1",
                "/observe/healthy",
                "/observe/health/../metrics",
                "/live%2fE/history",
                "/live/%00",
                "/live/%0d%0a",
                "/live/x#/../../api/things/1",
                "/live/E%3fx/history",
                "/live",
                "/",
                "/client",
                "http://localhost/api/things/1",
                "http://localhost/live/../api/things/1"
            })
    void an_ambiguous_path_opens_no_door(String path) {
        RawHttp.Answer answer = keyed.http.ask("GET " + path);
        assertEquals(401, answer.status(), answer.body());
    }

    @ParameterizedTest
    @CsvSource({
        "/live/%45/history, E",
        "/live/A%2DB/history, A-B",
        "/live/a%20b/history, a b",
        "/%6cive/E/history, E",
        "http://localhost/live/E/history, E"
    })
    void escapes_that_mean_exactly_one_path_are_decoded(String path, String eid) {
        assertEquals(200, keyed.http.ask("GET " + path).status());
        assertEquals(eid, keyed.witness.headers().get("eid"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "x", "api/things/1"})
    void a_request_target_that_is_not_a_path_reaches_no_route(String target) {
        RawHttp.Answer answer = keyed.http.ask("OPTIONS " + target);
        assertEquals(404, answer.status());
        assertProblem(answer);
    }

    // no key configured

    @ParameterizedTest
    @CsvSource(textBlock = """
        localhost,             200
        LOCALHOST:4000,        200
        localhost.,            200
        app.localhost:4000,    200
        127.0.0.1,             200
        127.0.0.1:4000,        200
        127.1.2.3,             200
        [::1],                 200
        [::1]:4000,            200
        evil.example,          403
        evil.example:4000,     403
        localhost.evil.example, 403
        127.0.0.1.evil.example, 403
        notlocalhost,          403
        .localhost,            403
        127.0.0.256,           403
        128.0.0.1,             403
        0.0.0.0,               403
        192.168.0.1,           403
        [::2],                 403
        [::ffff:192.168.0.1],  403
        """)
    void without_a_key_only_loopback_hosts_are_answered(String host, int status) {
        RawHttp.Answer answer = open.http.ask("GET /api/things/1", "Host: " + host);
        assertTrue(
                answer.status() == status || status == 403 && answer.status() == 400,
                answer.status() + " " + answer.body());
        assertEquals(
                status == 200 ? 200 : answer.status(),
                open.http.ask("GET /live/E/history", "Host: " + host).status());
    }

    @Test
    void without_a_key_a_missing_or_repeated_host_is_refused() {
        assertEquals(
                400,
                open.http
                        .exchange("GET /api/things/1 HTTP/1.1\r\nConnection: close\r\n\r\n")
                        .status());
        assertEquals(
                403, open.http.exchange("GET /api/things/1 HTTP/1.0\r\n\r\n").status());
        assertTrue(open.http
                        .ask("GET /api/things/1", "Host: localhost", "Host: evil.example")
                        .status()
                >= 400);
        assertTrue(open.http
                        .ask("GET /api/things/1", "Host: evil.example", "Host: localhost")
                        .status()
                >= 400);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
        localhost:4000, http://localhost:4000,   200
        localhost:4000, HTTP://LocalHost:4000,   200
        localhost,      http://localhost:80,     200
        localhost:80,   http://localhost,        200
        [::1]:4000,     http://[::1]:4000,       200
        localhost:4000, http://localhost:3000,   403
        localhost:4000, http://localhost,        403
        localhost:4000, https://localhost:4000,  403
        localhost:4000, http://127.0.0.1:4000,   403
        localhost:4000, http://evil.example,     403
        localhost:4000, http://localhost:4000.evil.example, 403
        localhost:4000, null,                    403
        localhost:4000, file://,                 403
        """)
    void without_a_key_only_pages_of_our_own_origin_may_ask(String host, String origin, int status) {
        for (String method : List.of("GET", "POST")) {
            RawHttp.Answer answer = open.http.ask(method + " /api/things/1", "Host: " + host, "Origin: " + origin);
            assertEquals(status, answer.status(), answer.body());
            assertNull(answer.header("Access-Control-Allow-Origin"));
        }
        assertEquals(
                status,
                open.http
                        .ask("POST /live/E/invalidate", "Host: " + host, "Origin: " + origin)
                        .status());
        assertEquals(
                200,
                open.http
                        .ask("GET /live/E/history", "Host: " + host, "Origin: " + origin)
                        .status());
    }

    @Test
    void anonymous_on_a_public_address_answers_any_host_but_still_checks_the_origin() {
        assertEquals(
                200,
                anonymous.http.ask("GET /api/things/1", "Host: cache.example").status());
        assertEquals(
                200,
                anonymous
                        .http
                        .ask("GET /api/things/1", "Host: cache.example", "Origin: http://cache.example")
                        .status());
        assertEquals(
                403,
                anonymous
                        .http
                        .ask("POST /api/things/1", "Host: cache.example", "Origin: http://evil.example")
                        .status());
        assertEquals(
                403,
                anonymous
                        .http
                        .ask("POST /api/things/1", "Host: cache.example", "Origin: null")
                        .status());
        assertEquals(
                403,
                anonymous
                        .http
                        .ask("POST /api/things/1", "Host: cache.example", "Origin: https://cache.example")
                        .status());
        assertEquals(
                200,
                anonymous
                        .http
                        .ask(
                                "POST /api/things/1",
                                "Host: cache.example",
                                "Origin: https://cache.example",
                                "X-Forwarded-Proto: https")
                        .status());
    }

    @ParameterizedTest
    @CsvSource({
        "GET,  /api/things/1,       none, 200",
        "POST, /api/things/1,       none, 200",
        "POST, /functions/v1/cache-invalidation-worker?force=true, none, 200",
        "GET,  /live/E/history,     none, 401",
        "GET,  /live/E/history,     wrong, 401",
        "GET,  /live/E/history,     live, 200",
    })
    void a_key_for_live_events_or_the_run_closes_only_what_it_is_for(
            String method, String target, String who, int status) {
        Keys lesser = new Keys(null, null, null, "live-key", "anon-key");
        try (GatedServer server = new GatedServer(lesser, Bind.at("127.0.0.1", false, null), ApiRates.DEFAULT)) {
            assertEquals(
                    status,
                    server.http.ask(method + " " + target, CREDENTIALS.get(who)).status());
            assertEquals(
                    403,
                    server.http
                            .ask(method + " " + target, "Host: attacker.example")
                            .status());
        }
    }

    // reading /live from other pages

    @ParameterizedTest
    @ValueSource(strings = {"/live/E/history", "/live/E/stream", "/client/index.js"})
    void pages_of_other_origins_may_read_live(String path) {
        RawHttp.Answer preflight =
                keyed.http.ask("OPTIONS " + path, "Origin: https://shop.example", "Access-Control-Request-Method: GET");
        assertEquals(204, preflight.status());
        assertEquals("*", preflight.header("Access-Control-Allow-Origin"));
        assertEquals("GET, HEAD", preflight.header("Access-Control-Allow-Methods"));
        assertTrue(preflight.header("Access-Control-Allow-Headers").contains("Last-Event-ID"));
        assertEquals(
                "*",
                keyed.http.ask("GET " + path, "Origin: https://shop.example").header("Access-Control-Allow-Origin"));
    }

    @Test
    void only_listed_origins_may_read_live_if_a_list_is_set() {
        RawHttp.Answer listed = anonymous.http.ask("GET /live/E/history", "Origin: https://SHOP.example");
        assertEquals(200, listed.status());
        assertEquals("https://SHOP.example", listed.header("Access-Control-Allow-Origin"));
        assertEquals("Origin", listed.header("Vary"));
        assertEquals(
                403,
                anonymous
                        .http
                        .ask("GET /live/E/history", "Origin: https://evil.example")
                        .status());
        RawHttp.Answer unlisted = liveKeyed.http.ask("OPTIONS /live/E/history", "Origin: https://evil.example");
        assertNull(unlisted.header("Access-Control-Allow-Origin"));
        assertEquals("Origin", unlisted.header("Vary"));
        assertEquals(
                "https://b.example",
                liveKeyed
                        .http
                        .ask("OPTIONS /live/E/history", "Origin: https://b.example")
                        .header("Access-Control-Allow-Origin"));
        // a page must be able to read why it was refused
        assertEquals(
                "https://b.example",
                liveKeyed
                        .http
                        .ask("GET /live/E/history", "Origin: https://b.example")
                        .header("Access-Control-Allow-Origin"));
    }

    @Test
    void preflights_are_answered_for_live_only() {
        assertEquals(
                401,
                keyed.http
                        .ask("OPTIONS /api/things/1", "Origin: https://shop.example")
                        .status());
        assertEquals(
                403,
                open.http
                        .ask("OPTIONS /api/things/1", "Origin: https://shop.example")
                        .status());
        assertEquals(
                401,
                keyed.http
                        .ask("OPTIONS /live/../api/things/1", "Origin: https://shop.example")
                        .status());
    }

    // hostile names

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CamelHttpUri",
                "camelsqlquery",
                "CAMELFileName",
                "org.apache.camel.x",
                "Camel",
                "%43amelHttpPath"
            })
    void camels_own_names_are_not_let_in(String name) {
        RawHttp.Answer answer = open.http.ask("GET /api/things/1?a=1&" + name + "=x");
        assertEquals(400, answer.status());
        assertTrue(answer.json().get("error").asText().startsWith(name.replace("%43", "C") + ":"), answer.body());
        if (!name.startsWith("%")) {
            assertEquals(
                    200, open.http.ask("GET /api/things/1", name + ": hostile").status());
            assertFalse(
                    open.witness.headers().containsValue("hostile"),
                    open.witness.headers().toString());
        }
    }

    @Test
    void camels_own_names_are_not_let_in_without_a_gate_either() {
        assertTrue(new QuietHeaders().applyFilterToExternalHeaders("cAmelHttpUri", "x", null));
        assertTrue(new QuietHeaders().applyFilterToExternalHeaders("Org.Apache.Camel.x", "x", null));
    }

    @Test
    void nothing_of_the_request_is_returned_as_a_response_header() {
        RawHttp.Answer answer = open.http.post(
                "/api/things/1?Location=http://evil.example&Set-Cookie=a&q=1&Content-Type=text/html&ETag=x",
                "{}",
                JSON + "; charset=utf-8",
                "X-Custom: 1",
                "Access-Control-Allow-Origin: *",
                "ETag: 1",
                "Cookie: a=b",
                "Accept: */*");
        assertEquals(200, answer.status(), answer.body());
        assertEquals(
                Set.of(
                        "content-type",
                        "content-length",
                        "x-content-type-options",
                        "referrer-policy",
                        "content-security-policy",
                        "x-request-id",
                        "cache-control"),
                without(answer, "transfer-encoding", "connection"));
        assertEquals("application/json", answer.header("Content-Type"));
    }

    @Test
    void only_headers_that_a_route_sets_for_the_answer_are_sent() {
        RawHttp.Answer answer = open.http.ask("GET /answering?x-other=1", "X-Secret-Thought: 2");
        assertEquals("v1", answer.header("ETag"));
        assertEquals("max-age=60", answer.header("Cache-Control"));
        assertEquals("text/csv", answer.header("Content-Type"));
        assertNull(answer.header("X-Secret-Thought"));
    }

    @Test
    void a_header_cannot_pose_as_a_parameter_or_a_parameter_as_part_of_the_path() {
        assertEquals(
                200,
                open.http
                        .ask("GET /api/things/1?id=2&ID=3&limit=5", "id: 4", "limit: 6", "offset: 7", "Accept: a/b")
                        .status());
        assertEquals("1", open.witness.headers().get("id"));
        assertEquals("5", open.witness.headers().get("limit"));
        assertNull(open.witness.headers().get("offset"));
        assertEquals("a/b", open.witness.headers().get("Accept"));
    }

    @Test
    void answers_carry_the_security_headers_and_no_banner() {
        for (String target : List.of("/api/things/1", "/unknown", "/api/things/1?camel=1", "/mishap/other")) {
            RawHttp.Answer answer = open.http.ask("GET " + target);
            assertEquals("nosniff", answer.header("X-Content-Type-Options"), target);
            assertEquals("no-store", answer.header("Cache-Control"), target);
            assertEquals("no-referrer", answer.header("Referrer-Policy"), target);
            assertEquals("frame-ancestors 'none'", answer.header("Content-Security-Policy"), target);
            assertNull(answer.header("Server"));
            assertNull(answer.header("X-Powered-By"));
        }
        assertEquals("no-cache", open.http.ask("GET /client/index.js").header("Cache-Control"));
    }

    @Test
    void a_request_has_an_id() {
        assertEquals(
                "abc-1",
                open.http.ask("GET /api/things/1", "X-Request-Id: abc-1").header("X-Request-Id"));
        assertEquals("abc-1", open.witness.headers().get("X-Request-Id"));
        String own =
                open.http.ask("GET /api/things/1", "X-Request-Id: <script>").header("X-Request-Id");
        assertTrue(own.matches("[0-9a-f-]{36}"), own);
    }

    // bodies

    @ParameterizedTest
    @CsvSource(textBlock = """
        application/json,                   200
        Application/JSON;charset=UTF-8,     200
        application/vnd.api+json,           200
        application/problem+json; a=b,      200
        text/plain,                         415
        application/x-www-form-urlencoded,  415
        multipart/form-data;boundary=x,     415
        application/jsonp,                  415
        application/xml,                    415
        text/json,                          415
        """)
    void a_body_must_be_json(String type, int status) {
        RawHttp.Answer answer = open.http.post("/api/things/1", "{}", "Content-Type: " + type);
        assertEquals(status, answer.status(), answer.body());
        assertEquals(
                status,
                open.http
                        .send(
                                "POST /api/things/1",
                                "2\r\n{}\r\n0\r\n\r\n",
                                "Content-Type: " + type,
                                "Transfer-Encoding: chunked")
                        .status());
        if (status == 200) {
            assertEquals("{}", open.witness.body());
        }
    }

    @Test
    void a_body_needs_a_type_and_a_request_without_a_body_does_not() {
        assertEquals(415, open.http.post("/api/things/1", "{}").status());
        assertEquals(
                415,
                open.http
                        .send("POST /api/things/1", "2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked")
                        .status());
        assertEquals(
                415,
                open.http
                        .post("/api/things/1", "{}", JSON, "Content-Type: text/plain")
                        .status());
        assertEquals(200, open.http.post("/api/things/1", "").status());
        assertEquals(200, open.http.ask("POST /api/things/1").status());
        assertEquals(
                200,
                open.http
                        .send("POST /api/things/1", "0\r\n\r\n", "Transfer-Encoding: chunked")
                        .status());
        assertEquals(
                415,
                open.http.send("GET /api/things/1", "{}", "Content-Length: 2").status());
    }

    @Test
    void an_encoded_body_is_refused() {
        assertEquals(
                415,
                open.http
                        .post("/api/things/1", "{}", JSON, "Content-Encoding: gzip")
                        .status());
        assertEquals(
                415,
                open.http
                        .post("/api/things/1", "{}", JSON, "Content-Encoding: identity", "Content-Encoding: br")
                        .status());
        assertEquals(
                200,
                open.http
                        .post("/api/things/1", "{}", JSON, "Content-Encoding: identity")
                        .status());
    }

    @ParameterizedTest
    @CsvSource({
        "/api/things/1, 1024, 200",
        "/api/things/1, 1025, 413",
        "/invalidate/key, 16384, 200",
        "/invalidate/key, 16385, 413",
        "/x/../invalidate/key, 1025, 413"
    })
    void a_body_has_a_limit(String path, int bytes, int status) {
        String body = "\"" + "a".repeat(bytes - 2) + "\"";
        RawHttp.Answer counted = keyed.http.post(path, body, FULL, JSON);
        assertEquals(status, counted.status(), counted.body());
        String half = body.substring(0, bytes / 2);
        String rest = body.substring(bytes / 2);
        String chunks = "%x\r\n%s\r\n%x\r\n%s\r\n".formatted(half.length(), half, rest.length(), rest);
        assertEquals(
                status,
                keyed.http
                        .send("POST " + path, chunks + "0\r\n\r\n", FULL, JSON, "Transfer-Encoding: chunked")
                        .status());
        if (status == 413) {
            assertProblem(counted);
            // the answer arrives before the body has ended, or has even begun
            assertEquals(
                    413,
                    keyed.http
                            .send("POST " + path, chunks, FULL, JSON, "Transfer-Encoding: chunked")
                            .status());
            assertEquals(
                    413,
                    keyed.http
                            .send("POST " + path, "", FULL, JSON, "Content-Length: " + bytes, "Expect: 100-continue")
                            .status());
        }
    }

    @Test
    void the_default_limits_are_those_of_the_contract() {
        assertEquals(
                413,
                open.http
                        .send("POST /api/things/1", "", JSON, "Content-Length: 1048577")
                        .status());
        assertEquals(
                413,
                open.http
                        .send("POST /invalidate/key", "", JSON, "Content-Length: 16777217")
                        .status());
        assertEquals(
                200,
                open.http
                        .post("/api/things/1", "\"" + "a".repeat((1 << 20) - 2) + "\"", JSON)
                        .status());
        assertEquals(
                200,
                open.http
                        .post("/invalidate/key", "\"" + "a".repeat(1 << 20) + "\"", JSON)
                        .status());
    }

    @Test
    void a_body_without_a_key_is_not_read() {
        assertEquals(
                401,
                keyed.http
                        .send("POST /api/things/1", "", JSON, "Content-Length: 1000")
                        .status());
    }

    @Test
    void a_caller_over_its_rate_is_told_when_to_retry() {
        try (GatedServer limited = new GatedServer(
                new Keys("k", null, null, null, null),
                Bind.at("127.0.0.1", false, null),
                new ApiRates(10, 10, client -> client.equals("127.0.0.1") ? 7 : 0))) {
            RawHttp.Answer answer = limited.http.ask("GET /api/things/1");
            assertEquals(429, answer.status());
            assertEquals("7", answer.header("Retry-After"));
            assertProblem(answer);
        }
    }

    @Test
    void a_request_for_http_2_is_answered_in_http_1() throws Exception {
        URI things = URI.create("http://localhost:" + keyed.http.port() + "/api/things/1");
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpResponse<String> none =
                client.send(HttpRequest.newBuilder(things).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(HttpClient.Version.HTTP_1_1, none.version());
        assertEquals(401, none.statusCode());
        HttpRequest.Builder empty = HttpRequest.newBuilder(things)
                .header("x-api-key", "service-key")
                .POST(HttpRequest.BodyPublishers.noBody());
        assertEquals(
                200,
                client.send(empty.build(), HttpResponse.BodyHandlers.discarding())
                        .statusCode());
        for (var expected : Map.of(1000, 200, 2000, 413).entrySet()) {
            HttpRequest.BodyPublisher unknownLength = HttpRequest.BodyPublishers.ofInputStream(
                    () -> new ByteArrayInputStream(new byte[expected.getKey()]));
            HttpRequest.Builder post = HttpRequest.newBuilder(things)
                    .header("x-api-key", "service-key")
                    .POST(unknownLength);
            assertEquals(
                    expected.getValue() == 200 ? 415 : 413,
                    client.send(post.build(), HttpResponse.BodyHandlers.discarding())
                            .statusCode());
            assertEquals(
                    expected.getValue(),
                    client.send(
                                    post.header("Content-Type", "application/json")
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"limit=&offset=", "limit&offset=", "offset=&limit=50&limit=", "limit=50&offset"})
    void an_empty_parameter_counts_as_absent(String query) {
        assertEquals(
                "{\"limit\":50,\"offset\":0}",
                open.http.ask("GET /page?" + query).body());
        assertEquals(200, open.http.ask("HEAD /live/E/history?after=&" + query).status());
        assertFalse(open.witness.headers().containsKey("after"));
        assertEquals(
                200,
                keyed.http
                        .ask("POST " + RUN + "?force=", CREDENTIALS.get("anon"))
                        .status());
    }

    // what is reported about it

    @ParameterizedTest
    @CsvSource({"GET, /api/things/1, none, 401", "POST, /api/things/1, read, 403", "POST, /api/things/1, internal, 413"
    })
    void a_refusal_is_reported_without_keys(String method, String path, String who, int status)
            throws InterruptedException {
        try (GatedServer own = new GatedServer(
                new Keys("full-kéy", null, "read-key", null, null),
                Bind.at("127.0.0.1", false, null),
                ApiRates.DEFAULT)) {
            own.http.ask(
                    method + " " + path + "?key=secret",
                    CREDENTIALS.get(who),
                    JSON,
                    "X-Request-Id: r-1",
                    status == 413 ? "Content-Length: 99999999" : "X-None: 1");
            RefusedRequest refusal = own.reported.poll(20, TimeUnit.SECONDS);
            assertNotNull(refusal);
            assertEquals(
                    List.of(method, path, status, "127.0.0.1", "r-1"),
                    List.of(refusal.method(), refusal.path(), refusal.status(), refusal.client(), refusal.requestId()));
            assertFalse(refusal.toString().matches(".*(secret|full-k|read-key).*"), refusal.toString());
            assertEquals(1, own.refusals.total());
        }
    }

    @Test
    void the_gate_is_mounted_once_however_often_that_is_requested() {
        assertEquals(1, open.gates());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/things/1", "/live/E/history?since=1"})
    void head_is_answered_with_the_headers_of_a_get(String path) {
        RawHttp.Answer get = open.http.ask("GET " + path);
        RawHttp.Answer head = open.http.ask("HEAD " + path);
        assertEquals(200, head.status());
        assertEquals("", head.body());
        assertEquals(get.header("content-length"), head.header("content-length"));
        assertEquals(get.header("content-type"), head.header("content-type"));
    }

    // what Vert.x answers by itself

    @ParameterizedTest
    @CsvSource(textBlock = """
        GET,    /unknown,           404,
        DELETE, /api/things/1,      405, 'GET, POST'
        DELETE, /api/things/1/retry, 405, POST
        PUT,    /invalidate/key,    405, POST
        HEAD,   /unknown,           404,
        HEAD,   /invalidate/key,    405, POST
        GET,    /invalidate/key,    405, POST
        GET,    /api/things,        404,
        GET,    /api/things/1/2,    404,
        GET,    /api/%zz,           400,
        GET,    /live/%,            400,
        GET,    /api/things/1?a=%zz, 400,
        """)
    void errors_of_the_router_are_problems_too(String method, String path, int status, String allow) {
        RawHttp.Answer answer = open.http.ask(method + " " + path);
        assertEquals(status, answer.status(), answer.body());
        assertEquals(allow, answer.header("Allow"));
        if (!method.equals("HEAD")) {
            assertProblem(answer);
        }
    }

    static void assertProblem(RawHttp.Answer answer) {
        assertEquals("application/problem+json", answer.header("Content-Type"), answer.body());
        assertEquals(answer.status(), answer.json().get("status").asInt());
        assertFalse(answer.json().get("error").asText().isBlank());
        assertFalse(answer.json().get("title").asText().isBlank());
        assertFalse(answer.json().get("detail").asText().isBlank());
        assertEquals("about:blank", answer.json().get("type").asText());
        assertFalse(
                answer.body().matches("(?s).*(Exception|\\bat [a-z]+\\.|io\\.vertx|org\\.apache|SELECT|secret).*"),
                answer.body());
    }

    private static Set<String> without(RawHttp.Answer answer, String... names) {
        Set<String> left = answer.headers().keySet().stream().collect(Collectors.toSet());
        List.of(names).forEach(left::remove);
        left.add("content-length");
        return left;
    }
}
