package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.GatedServer;
import dev.freshet.testing.RawHttp;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProblemsTest {

    private static final String JSON = "Content-Type: application/json";

    private static GatedServer server;

    @BeforeAll
    static void start() {
        server = new GatedServer(
                new Keys(null, null, null, null, null), Bind.at("127.0.0.1", false, null), ApiRates.DEFAULT);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void a_problem_has_the_old_member_and_the_standard_ones() throws Exception {
        Problem problem = Problem.of(400, "Invalid trigger", "triggeredBy: must be admin, cron or post-match")
                .with("success", false);
        assertEquals(new ObjectMapper().readTree("""
            {"error":"Invalid trigger","type":"about:blank","title":"Bad Request","status":400,
             "detail":"triggeredBy: must be admin, cron or post-match",
             "message":"triggeredBy: must be admin, cron or post-match",
             "success":false}\
            """), new ObjectMapper().readTree(problem.json()));
    }

    @ParameterizedTest
    @CsvSource({
        "08006, 503, 5",
        "08001, 503, 5",
        "57P01, 503, 5",
        "57P03, 503, 5",
        "57014, 503, 1",
        "55P03, 503, 1",
        "40P01, 503, 1",
        "22003, 400,",
        "42601, 500,",
        "23505, 500,",
        ", 500,"
    })
    void a_lost_connection_or_a_foreign_lock_is_503_and_other_sql_errors_are_not(
            String state, int status, String retryAfter) {
        Problem problem = Problems.of(new IllegalStateException(new SQLException("SELECT secret", state)));
        assertEquals(status, problem.status());
        assertEquals(retryAfter, problem.headers().get("Retry-After"));
        assertFalse(problem.json().contains("secret"));
    }

    @Test
    void an_exhausted_pool_is_503_even_as_the_next_exception() {
        SQLException timeout = new SQLTransientConnectionException("HikariPool-1 - Connection is not available");
        assertEquals(503, Problems.of(timeout).status());
        SQLException batch = new SQLException("batch", "00000");
        batch.setNextException(timeout);
        assertEquals(503, Problems.of(batch).status());
    }

    @Test
    void circular_causes_end() {
        Exception a = new Exception("a");
        a.initCause(new Exception("b", a));
        assertEquals(500, Problems.of(a).status());
        assertEquals(500, Problems.of((Throwable) null).status());
    }

    @Test
    void a_refusal_anywhere_among_the_causes_is_the_answer() {
        assertEquals(
                "tag: too long",
                Problems.of(new RuntimeException(new Refused(400, "tag: too long")))
                        .detail());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        json  | {"a":1,\\n "b" 2}          | body: not valid JSON at line 2, column 6
        json  | {"a":                      | body: not valid JSON at line 1, column
        json  | {"a":NaN}                  | body: not valid JSON at line 1, column
        json  | nonsense                   | body: not valid JSON at line 1, column
        shape | [1]                        | body: must be JSON of the documented shape at line 1, column 1
        """)
    void the_error_in_a_body_that_is_not_json_is_located(String how, String body, String error) {
        RawHttp.Answer answer = server.http.post("/mishap/" + how, body.replace("\\n", "\n"), JSON);
        assertEquals(400, answer.status());
        GateTest.assertProblem(answer);
        assertTrue(answer.json().get("error").asText().startsWith(error), answer.body());
        assertFalse(answer.body().matches("(?s).*(jackson|java\\.|com\\.|`|Feature).*"), answer.body());
    }

    @Test
    void a_body_nested_too_deeply_is_refused_without_class_names() {
        RawHttp.Answer answer = server.http.post("/mishap/json", "[".repeat(5000), JSON);
        assertEquals(400, answer.status());
        assertFalse(answer.body().contains("Constraints"), answer.body());
    }

    @Test
    void a_failing_route_reveals_nothing() {
        RawHttp.Answer database = server.http.ask("POST /mishap/database");
        assertEquals(503, database.status());
        assertEquals("5", database.header("Retry-After"));
        GateTest.assertProblem(database);
        for (String how : List.of("sql", "other")) {
            RawHttp.Answer answer = server.http.ask("POST /mishap/" + how);
            assertEquals(500, answer.status());
            assertEquals("internal error", answer.json().get("error").asText());
            GateTest.assertProblem(answer);
        }
    }

    @Test
    void a_route_can_refuse_in_yaml() {
        RawHttp.Answer answer = server.http.ask("GET /refusal");
        assertEquals(409, answer.status());
        assertEquals("tag: already queued", answer.json().get("error").asText());
        GateTest.assertProblem(answer);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
        '',                              50,   0
        ?limit=1,                        1,    0
        ?limit=1000&offset=7,            1000, 7
        ?limit=1001,                     1000, 0
        ?limit=99999999999999999999,     1000, 0
        ?offset=9223372036854775807,     50,   9223372036854775807
        """)
    void a_page_has_defaults_and_a_maximum_size(String query, int limit, long offset) {
        RawHttp.Answer answer = server.http.ask("GET /page" + query);
        assertEquals(200, answer.status(), answer.body());
        assertEquals(limit, answer.json().get("limit").asInt());
        assertEquals(offset, answer.json().get("offset").asLong());
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
        limit=0,       limit
        limit=-1,      limit
        limit=x,       limit
        limit=1.5,     limit
        limit=1&limit=2, limit
        limit=%D9%A1,  limit
        offset=-1,     offset
        offset=x,      offset
        offset=9223372036854775808, offset
        """)
    void a_wrong_page_names_the_field(String query, String field) {
        RawHttp.Answer answer = server.http.ask("GET /page?" + query);
        assertEquals(400, answer.status(), answer.body());
        assertTrue(answer.json().get("error").asText().startsWith(field + ": must be a number"), answer.body());
    }

    @Test
    void page_parameters_can_be_read_in_java_too() {
        assertEquals(new Page(50, 0), Page.of(null, null));
        assertEquals(
                "limit: must be a number from 1 to 1000",
                assertThrows(Refused.class, () -> Page.of("0", null)).getMessage());
    }
}
