package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.freshet.testing.RawHttp;
import dev.freshet.testing.Scene;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Checks the document that describes the API against the API: every example is sent, and every answer is compared with
 * its schema.
 */
class OpenApiIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> METHODS = List.of("get", "put", "post", "delete");

    private static Scene scene;
    private static RawHttp api;
    private static JsonNode document;

    private record Operation(String method, String path, JsonNode described) {
        @Override
        public String toString() {
            return method.toUpperCase() + " " + path;
        }
    }

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("INTERNAL_API_KEY=full-key-51b2");
        api = new RawHttp(URI.create(scene.start().url()).getPort());
        RawHttp.Answer served = api.ask("GET /openapi.json");
        assertEquals(200, served.status(), "without a key");
        assertEquals("application/json", served.header("content-type"));
        document = served.json();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void every_path_of_the_rest_dsl_is_described_and_vice_versa() throws Exception {
        Set<String> served = new TreeSet<>();
        try (var files = Files.walk(Path.of("routes"))) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("api"))
                    .toList()) {
                for (JsonNode entry : new YAMLMapper().readTree(Files.readString(file))) {
                    JsonNode rest = entry.get("rest");
                    for (String method : METHODS) {
                        for (JsonNode verb :
                                rest == null || !rest.has(method) ? List.<JsonNode>of() : rest.get(method)) {
                            String root = rest.get("path").asText();
                            served.add(method.toUpperCase() + " " + (root.equals("/") ? "" : root) + "/"
                                    + verb.get("path").asText());
                        }
                    }
                }
            }
        }
        Set<String> described = new TreeSet<>();
        operations().stream()
                .filter(operation -> !operation.described().path("x-not-rest").asBoolean())
                .forEach(operation -> described.add(operation.toString()));
        assertEquals(served, described);
    }

    @Test
    void every_example_is_answered_as_described() throws Exception {
        int sent = 0;
        for (Operation operation : operations()) {
            if (operation.described().path("x-not-rest").asBoolean()) {
                continue;
            }
            for (String body : bodies(operation)) {
                RawHttp.Answer answer = send(operation, body, "x-api-key: full-key-51b2");
                assertTrue(
                        answer.status() < 500 && answer.status() != 401 && answer.status() != 400,
                        () -> operation + " " + body + ": " + answer);
                assertDescribed(operation, answer);
                sent++;
            }
        }
        assertTrue(sent > 25, sent + " examples");
    }

    @Test
    void requests_without_a_key_or_with_a_wrong_body_are_refused_as_described() throws Exception {
        for (Operation operation : operations()) {
            if (operation.described().path("x-not-rest").asBoolean()) {
                continue;
            }
            if (!operation.described().has("security")) {
                RawHttp.Answer answer = send(operation, bodies(operation).get(0));
                assertEquals(401, answer.status(), operation::toString);
                assertDescribed(operation, answer);
            }
            if (operation.described().has("requestBody")) {
                RawHttp.Answer answer = send(operation, "[\"no object\"]", "x-api-key: full-key-51b2");
                assertEquals(400, answer.status(), operation::toString);
                assertDescribed(operation, answer);
            }
        }
    }

    @Test
    void health_is_public_as_described_and_metrics_require_a_key() throws Exception {
        int health = 0;
        for (Operation operation : operations()) {
            if (operation.path().startsWith("/observe/health")) {
                RawHttp.Answer answer = send(operation, "");
                assertEquals(200, answer.status(), operation::toString);
                assertDescribed(operation, answer);
                health++;
            } else if (operation.path().equals("/observe/metrics")) {
                assertDescribed(operation, send(operation, ""));
                assertEquals(
                        200, send(operation, "", "x-api-key: full-key-51b2").status());
            }
        }
        assertEquals(3, health);
    }

    private static List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        for (var path : document.get("paths").properties()) {
            for (var operation : path.getValue().properties()) {
                operations.add(new Operation(operation.getKey(), path.getKey(), operation.getValue()));
            }
        }
        return operations;
    }

    private static List<String> bodies(Operation operation) {
        List<String> bodies = new ArrayList<>();
        operation
                .described()
                .at("/requestBody/content/application~1json/examples")
                .forEach(example -> bodies.add(example.get("value").toString()));
        return bodies.isEmpty() ? List.of("") : bodies;
    }

    private static RawHttp.Answer send(Operation operation, String body, String... headers) {
        String path = operation.path();
        StringBuilder query = new StringBuilder();
        for (JsonNode parameter : operation.described().path("parameters")) {
            String name = parameter.get("name").asText();
            String example = parameter.path("example").asText("");
            if (parameter.get("in").asText().equals("path")) {
                path = path.replace("{" + name + "}", example);
            } else if (!example.isEmpty()) {
                query.append(query.isEmpty() ? '?' : '&')
                        .append(name)
                        .append('=')
                        .append(URLEncoder.encode(example, StandardCharsets.UTF_8));
            }
        }
        List<String> all = new ArrayList<>(List.of(headers));
        if (!body.isEmpty()) {
            all.add("Content-Type: application/json");
            all.add("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length);
        }
        return api.send(operation.method().toUpperCase() + " " + path + query, body, all.toArray(String[]::new));
    }

    /** Asserts that the status is described, and that the body matches the schema given for it. */
    private static void assertDescribed(Operation operation, RawHttp.Answer answer) throws Exception {
        JsonNode named = operation.described().at("/responses/" + answer.status());
        JsonNode response =
                named.has("$ref") ? document.at(named.get("$ref").asText().substring(1)) : named;
        assertTrue(
                response.isObject(), () -> operation + " does not describe " + answer.status() + ": " + answer.body());
        if (!response.has("content")) {
            assertEquals("", answer.body(), operation::toString);
            return;
        }
        String type = response.get("content").fieldNames().next();
        assertEquals(type, answer.header("content-type"), operation::toString);
        var schema = JSON.createObjectNode();
        schema.set("components", document.get("components"));
        schema.set(
                "allOf",
                JSON.createArrayNode().add(response.get("content").get(type).get("schema")));
        JsonSchema strict =
                JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schema);
        var mistakes = strict.validate(answer.json());
        assertTrue(mistakes.isEmpty(), () -> operation + ": " + mistakes + " in " + answer.body());
    }
}
