package dev.freshet.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Route;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an edit may meet, in a context of two or three small files. */
class LiveRoutesTest {
    @TempDir
    private Path folder;
    private final DefaultCamelContext context = new DefaultCamelContext();
    private LiveRoutes routes;

    @AfterEach
    void stop() throws IOException {
        routes.close();
        context.close();
    }

    @Test
    void an_edit_made_while_the_routes_start_is_not_taken_for_what_runs() throws Exception {
        Path file = write("word.yaml", says("word", "before"));
        routes = new LiveRoutes(context, folder);
        routes.readFirst();
        load(file);
        write("word.yaml", says("word", "after"));
        context.start();
        routes.start();
        awaitAnswer("word", "after");
    }

    @Test
    void a_file_refused_for_the_want_of_another_is_taken_when_that_comes() throws Exception {
        Path file = write("word.yaml", says("word", "before"));
        routes = new LiveRoutes(context, folder);
        routes.readFirst();
        load(file);
        context.start();
        routes.start();
        write("asks.yaml", asks("you"));
        await("refused", () -> routes.broken().size() == 1);
        write("template.yaml", template("hello"));
        awaitAnswer("you", "hello you");
        await("nothing refused", () -> routes.broken().isEmpty());
    }

    @Test
    void an_edit_of_a_template_reaches_the_routes_made_of_it() throws Exception {
        List<Path> files = List.of(write("a-template.yaml", template("hello")), write("asks.yaml", asks("you")));
        routes = new LiveRoutes(context, folder);
        routes.readFirst();
        for (Path file : files) {
            load(file);
        }
        context.start();
        routes.start();
        awaitAnswer("you", "hello you");
        write("a-template.yaml", template("welcome"));
        awaitAnswer("you", "welcome you");
        write("asks.yaml", asks("all"));
        awaitAnswer("all", "welcome all");
        assertEquals(List.of("asks"), context.getRoutes().stream().map(Route::getRouteId).toList());
    }

    private static String asks(String whom) {
        return """
                - templatedRoute:
                    routeTemplateRef: greeting
                    routeId: asks
                    parameters:
                      - name: whom
                        value: %s
                """.formatted(whom);
    }

    private static String template(String greeting) {
        return """
                - routeTemplate:
                    id: greeting
                    parameters:
                      - name: whom
                    from:
                      uri: "direct:{{whom}}"
                      steps:
                        - setBody:
                            constant: "%s {{whom}}"
                """.formatted(greeting);
    }

    private static String says(String id, String what) {
        return """
                - route:
                    id: %1$s
                    from:
                      uri: direct:%1$s
                      steps:
                        - setBody:
                            constant: "%2$s"
                """.formatted(id, what);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private void load(Path file) throws Exception {
        PluginHelper.getRoutesLoader(context).loadRoutes(ResourceHelper.resolveMandatoryResource(context, "file:" + file));
    }

    private void awaitAnswer(String route, String answer) {
        try (var template = context.createProducerTemplate()) {
            await(answer, () -> context.hasEndpoint("direct:" + route) != null && answer.equals(template.requestBody("direct:" + route, "", String.class)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void await(String what, java.util.function.BooleanSupplier condition) {
        Eventually.is(Duration.ofSeconds(60), condition, () -> what + "; refused: " + routes.broken());
    }
}
