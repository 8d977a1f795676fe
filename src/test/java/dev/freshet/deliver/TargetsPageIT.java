package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.provider.ProvidersIT;
import dev.freshet.settings.CannotStart;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The long form that README.md shows, as written there except for the address. ProvidersIT covers the pages of
 * docs/targets.md.
 */
public class TargetsPageIT {
    private static final Pattern FILE = Pattern.compile("<!-- target: (\\w+) -->\\n```yaml\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ADDRESS = Pattern.compile("https://[a-z.]+(?=/)");
    private static final String[] TAGS =
            IntStream.range(0, 600).mapToObj(i -> "tag-" + i).toArray(String[]::new);

    /** What a call must look like: its first line, a header, and how many tags it may carry. */
    private record Form(String request, String header, String value, String tags, int batch) {}

    private static final Map<String, Form> FORMS =
            Map.of("search", new Form("POST /stale HTTP/1.1", "content-type", "application/json", "tags", 50));

    @Test
    void each_target_of_the_page_delivers_every_tag_in_its_form() throws Exception {
        Map<String, String> files = files("README.md");
        assertEquals(new TreeSet<>(FORMS.keySet()), files.keySet());
        Map<String, Receiver> receivers = new TreeMap<>();
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=")) {
            Path folder = FreshetProcess.newFolder();
            for (Map.Entry<String, String> file : files.entrySet()) {
                Receiver receiver = new Receiver();
                receivers.put(file.getKey(), receiver);
                assertEquals(1, ADDRESS.matcher(file.getValue()).results().count(), file.getValue());
                Files.writeString(
                        folder.resolve("routes/targets/" + file.getKey() + ".yaml"),
                        ADDRESS.matcher(file.getValue()).replaceAll(receiver.url()));
            }
            scene.start(folder);
            scene.change(TAGS);
            scene.awaitProcessed(TAGS);
            receivers.forEach((name, receiver) -> check(FORMS.get(name), receiver));
        } finally {
            receivers.values().forEach(Receiver::close);
        }
    }

    @Test
    void six_lines_deliver_every_tag_to_any_address_in_the_form_it_asks_for() throws Exception {
        try (Receiver receiver = new Receiver();
                Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "APP_KEY=app-1")) {
            Path folder = FreshetProcess.newFolder();
            ProvidersIT.drop(folder, "app", receiver.url() + "/stale");
            scene.start(folder);
            scene.change(TAGS);
            scene.awaitProcessed(TAGS);
            check(new Form("POST /stale HTTP/1.1", "authorization", "Bearer app-1", "keys", 50), receiver);
        }
    }

    @Test
    void a_start_without_the_variable_is_refused_in_one_line() throws Exception {
        try (Scene scene = new Scene()) {
            Path folder = FreshetProcess.newFolder();
            Files.writeString(
                    folder.resolve("routes/targets/fastly.camel.yaml"),
                    files("docs/targets.md").get("fastly"));
            scene.set("FASTLY_SERVICE=service-1");
            FreshetProcess freshet =
                    scene.launch(folder, List.of("-jar", FreshetProcess.jar().toString()));
            assertEquals(CannotStart.BAD_SETTING, freshet.exitCode(), freshet.log());
            String last = freshet.log().lines().reduce((before, line) -> line).orElse("");
            assertTrue(
                    last.contains(
                            "routes/targets/fastly.camel.yaml cannot be used: the environment variable FASTLY_TOKEN is"
                                    + " not set: set it"),
                    freshet.log());
        }
    }

    private static void check(Form form, Receiver receiver) {
        TreeSet<String> got = new TreeSet<>();
        for (Receiver.Call call : receiver.calls()) {
            assertEquals(form.request(), call.request());
            assertEquals(form.value(), call.header(form.header()));
            assertTrue(call.json().get(form.tags()).size() <= form.batch(), call.body());
            call.json().get(form.tags()).forEach(tag -> got.add(tag.asText()));
        }
        assertEquals(TAGS.length, got.size(), form.toString());
    }

    public static Map<String, String> files(String page) throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (MatchResult found :
                FILE.matcher(Files.readString(Path.of(page))).results().toList()) {
            files.put(found.group(1), found.group(2));
        }
        return files;
    }
}
