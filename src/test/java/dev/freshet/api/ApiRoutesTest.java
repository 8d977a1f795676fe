package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.freshet.testing.RouteTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

class ApiRoutesTest extends RouteTest {
    ApiRoutesTest() {
        super("api.camel.yaml");
    }

    @Test
    void the_description_of_the_api_is_answered_unchanged() throws Exception {
        Exchange answered = send("GET /openapi.json");
        assertEquals(Files.readString(Path.of("src/main/resources/openapi.json")), text(answered));
        assertEquals("application/json", header(answered, "Content-Type"));
    }

    @Test
    void an_answer_becomes_json() throws Exception {
        Exchange answered = send("direct:answer-json", Map.of("tags", 3));
        assertEquals("{\"tags\":3}", text(answered));
        assertEquals("application/json", header(answered, "Content-Type"));
    }

    @Test
    void an_answer_that_is_json_stays_as_it_is() throws Exception {
        Exchange answered = send("direct:answer-text", "{ \"tags\": 3 }");
        assertEquals("{ \"tags\": 3 }", text(answered));
        assertEquals("application/json", header(answered, "Content-Type"));
    }

    @Test
    void an_empty_answer_is_204_without_a_body() throws Exception {
        Exchange answered = send("direct:answer-nothing", "what is left of the request");
        assertNull(text(answered));
        assertEquals("204", header(answered, "CamelHttpResponseCode"));
    }
}
