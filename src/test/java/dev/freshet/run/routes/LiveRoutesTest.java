package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Route;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an edit may encounter, in a context of two or three small files. */
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
    void an_edit_made_while_the_routes_start_is_noticed() throws Exception {
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
    void a_file_refused_because_another_is_missing_is_accepted_once_that_appears() throws Exception {
        begin(write("word.yaml", says("word", "before")));
        write("asks.yaml", asks("you"));
        await("refused", () -> routes.broken().size() == 1);
        write("template.yaml", template("hello"));
        awaitAnswer("you", "hello you");
        await("nothing refused", () -> routes.broken().isEmpty());
    }

    @Test
    void an_edit_of_a_template_reaches_the_routes_made_from_it() throws Exception {
        begin(write("a-template.yaml", template("hello")), write("asks.yaml", asks("you")));
        awaitAnswer("you", "hello you");
        write("a-template.yaml", template("welcome"));
        awaitAnswer("you", "welcome you");
        write("asks.yaml", asks("all"));
        awaitAnswer("all", "welcome all");
        assertEquals(
                List.of("asks"),
                context.getRoutes().stream().map(Route::getRouteId).toList());
    }

    @Test
    void files_that_hold_a_template_and_its_route_do_not_undo_each_others_edits() throws Exception {
        begin(
                write("one.yaml", template("one", "hello") + asks("one", "me")),
                write("two.yaml", template("two", "hello") + asks("two", "you")));
        write("one.yaml", template("one", "welcome") + asks("one", "me"));
        awaitAnswer("me", "welcome me");
        write("two.yaml", template("two", "welcome") + asks("two", "you"));
        awaitAnswer("you", "welcome you");
        awaitAnswer("me", "welcome me");
    }

    @Test
    void files_on_a_volume_that_is_not_mounted_are_not_deleted() throws Exception {
        Path volume = Files.createDirectory(folder.resolve("targets"));
        begin(write("word.yaml", says("word", "here")), write("targets/far.yaml", says("far", "there")));
        Path away = folder.resolveSibling(folder.getFileName() + "-away");
        Files.move(volume, away);
        await("told that its folder is missing", () -> routes.broken().size() == 1);
        write("word.yaml", says("word", "still looked at"));
        awaitAnswer("word", "still looked at");
        awaitAnswer("far", "there");
        Files.createDirectory(volume);
        write("word.yaml", says("word", "with an empty folder"));
        awaitAnswer("word", "with an empty folder");
        awaitAnswer("far", "there");
        assertEquals(1, routes.broken().size(), routes.broken().toString());
        Files.delete(volume);
        Files.move(away, volume);
        await("nothing to tell", () -> routes.broken().isEmpty());
        Files.delete(volume.resolve("far.yaml"));
        await("deleted in its own folder", () -> context.getRoute("far") == null);
    }

    @Test
    void a_file_that_returns_gets_its_routes_back() throws Exception {
        Path file = write("targets-far.yaml", says("target-far", "there"));
        begin(write("word.yaml", says("word", "here")), file);
        Files.delete(file);
        await("gone", () -> context.getRoute("target-far") == null);
        write("targets-far.yaml", says("target-far", "there"));
        awaitAnswer("target-far", "there");
    }

    @Test
    void a_bean_removed_from_a_file_is_no_longer_found() throws Exception {
        String bean = """
            - beans:
                - name: %s
                  type: java.util.concurrent.atomic.AtomicInteger
            """;
        begin(write("word.yaml", bean.formatted("one") + says("word", "before")));
        await("there", () -> context.getRegistry().lookupByName("one") != null);
        write("word.yaml", bean.formatted("other") + says("word", "after"));
        awaitAnswer("word", "after");
        assertEquals(
                Set.of("other"),
                context.getRegistry().findByTypeWithName(AtomicInteger.class).keySet());
    }

    @Test
    void a_template_in_use_cannot_be_deleted() throws Exception {
        Path template = write("a-template.yaml", template("greeting", "hello"));
        begin(template, write("asks.yaml", asks("greeting", "you")));
        Files.delete(template);
        await("told", () -> routes.broken().size() == 1);
        assertTrue(
                routes.broken().get(0).why().contains("greeting"),
                routes.broken().toString());
        write("word.yaml", says("word", "others can still be edited"));
        write("a-template.yaml", template("greeting", "hello"));
        awaitAnswer("word", "others can still be edited");
        awaitAnswer("you", "hello you");
    }

    @Test
    void a_templates_route_with_the_endpoint_of_another_route_is_refused() throws Exception {
        begin(write("a-template.yaml", template("greeting", "hello")), write("word.yaml", says("word", "before")));
        write("asks.yaml", asks("greeting", "word"));
        await("told", () -> routes.broken().size() == 1);
        assertTrue(
                routes.broken().get(0).why().contains("direct:word"),
                routes.broken().toString());
        awaitAnswer("word", "before");
    }

    @Test
    void an_edit_that_fails_only_at_its_start_is_undone() throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:busy").routeId("not-from-a-file").setBody(constant("busy"));
            }
        });
        begin(write("word.yaml", says("word", "before")));
        write("word.yaml", says("word", "after") + says("busy", "taken"));
        await("told", () -> routes.broken().size() == 1);
        awaitAnswer("word", "before");
        awaitAnswer("busy", "busy");
        Path another = write("another.yaml", says("another", "here") + says("busy", "taken"));
        await("told", () -> routes.broken().size() == 2);
        Files.delete(another);
        await(
                "the new file's routes are gone",
                () -> context.getRoute("another") == null && routes.broken().size() == 1);
        write("word.yaml", says("word", "mended"));
        awaitAnswer("word", "mended");
    }

    /** Starts the context with these files, and watches them. */
    private void begin(Path... files) throws Exception {
        routes = new LiveRoutes(context, folder);
        routes.readFirst();
        for (Path file : files) {
            load(file);
        }
        context.start();
        routes.start();
    }

    private static String asks(String whom) {
        return asks("greeting", whom).replace("routeId: greeting-asks", "routeId: asks");
    }

    private static String template(String greeting) {
        return template("greeting", greeting);
    }

    private static String asks(String template, String whom) {
        return """
            - templatedRoute:
                routeTemplateRef: %1$s
                routeId: %1$s-asks
                parameters:
                  - name: whom
                    value: %2$s
            """.formatted(template, whom);
    }

    private static String template(String id, String greeting) {
        return """
            - routeTemplate:
                id: %s
                parameters:
                  - name: whom
                from:
                  uri: "direct:{{whom}}"
                  steps:
                    - setBody:
                        constant: "%s {{whom}}"
            """.formatted(id, greeting);
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
        PluginHelper.getRoutesLoader(context)
                .loadRoutes(ResourceHelper.resolveMandatoryResource(context, "file:" + file));
    }

    private void awaitAnswer(String route, String answer) {
        try (var template = context.createProducerTemplate()) {
            await(
                    answer,
                    () -> context.hasEndpoint("direct:" + route) != null && answer.equals(answer(template, route)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** @return null while the route is being replaced */
    private static String answer(ProducerTemplate template, String route) {
        try {
            return template.requestBody("direct:" + route, "", String.class);
        } catch (CamelExecutionException e) {
            return null;
        }
    }

    private void await(String what, java.util.function.BooleanSupplier condition) {
        Eventually.is(Duration.ofSeconds(60), condition, () -> what + "; refused: " + routes.broken());
    }
}
