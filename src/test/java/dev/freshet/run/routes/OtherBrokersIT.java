package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JournalComponent;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Brokers in addition to PostgreSQL's NOTIFY, with a component from lib/, as docs/migrate-from-invalidation-service.md
 * says.
 */
class OtherBrokersIT {
    private static final Pattern FILE = Pattern.compile("<!-- also: broker -->\\n```yaml\\n(.*?)```", Pattern.DOTALL);

    @Test
    void an_unreachable_broker_keeps_nothing_from_the_others() throws Exception {
        try (Scene scene = new Scene();
                java.sql.Connection listener = scene.database.connect()) {
            TestDatabase.run(listener, "LISTEN \"cache-invalidate\"");
            Path folder = FreshetProcess.newFolder();
            journal(Files.createDirectory(folder.resolve("lib")).resolve("camel-journal.jar"));
            Files.writeString(folder.resolve("routes/also.yaml"), shown());
            Files.writeString(
                    folder.resolve("routes/away.yaml"),
                    shown().replace("journal:events.txt", "journal:no-such-folder/events.txt")
                            .replace("journal\n", "away\n")
                            .replace("publish-journal", "publish-away"));
            scene.start(folder);
            for (int i = 0; i < 20; i++) {
                scene.database.run("SELECT cache_invalidate_keys(ARRAY['key-" + i + "'])");
            }
            Path events = folder.resolve("events.txt");
            Scene.until(
                    "all in the journal",
                    () -> Files.exists(events) && Files.readAllLines(events).size() == 20);
            List<String> keys = Files.readAllLines(events).stream()
                    .map(line -> line.replaceAll(".*\"matched_keys\":\\[\"(.*?)\"].*", "$1"))
                    .toList();
            assertEquals(IntStream.range(0, 20).mapToObj(i -> "key-" + i).toList(), keys);
            Scene.until(
                    "and by NOTIFY",
                    () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.publication WHERE topic = 'publish'"));
            assertEquals(20, listener.unwrap(org.postgresql.PGConnection.class).getNotifications(1000).length);
            Scene.until(
                    "tried in vain",
                    () -> scene.isTrue(
                            "SELECT count(*) = 20 AND max(attempts) > 0 FROM freshet.publication WHERE topic ="
                                    + " 'publish-away'"));
            Files.createDirectory(folder.resolve("no-such-folder"));
            Scene.until(
                    "the one that was away has them, too",
                    () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.publication"));
            assertEquals(
                    20,
                    Files.readAllLines(folder.resolve("no-such-folder/events.txt"))
                            .size());
        }
    }

    @Test
    void check_knows_the_components_in_lib() throws Exception {
        Path folder = FreshetProcess.newFolder();
        Files.writeString(folder.resolve("routes/also.yaml"), shown());
        FreshetProcess without = FreshetProcess.launch(folder, java.util.Map.of(), "check", "routes/also.yaml");
        assertEquals(2, without.exitCode(), without.log());
        journal(Files.createDirectory(folder.resolve("lib")).resolve("camel-journal.jar"));
        FreshetProcess with = FreshetProcess.launch(folder, java.util.Map.of(), "check", "routes/also.yaml");
        assertEquals(0, with.exitCode(), with.log());
    }

    private static String shown() throws IOException {
        Matcher file = FILE.matcher(Files.readString(Path.of("docs/migrate-from-invalidation-service.md")));
        assertTrue(file.find());
        return file.group(1);
    }

    /** Packed as a component is: its class, and the file by which Camel finds it under its name. */
    private static void journal(Path jar) throws IOException {
        String type = JournalComponent.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                var code = JournalComponent.class.getResourceAsStream("/" + type)) {
            out.putNextEntry(new JarEntry(type));
            out.write(code.readAllBytes());
            out.putNextEntry(new JarEntry("META-INF/services/org/apache/camel/component/journal"));
            out.write(("class=" + JournalComponent.class.getName() + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }
}
