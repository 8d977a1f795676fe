package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Somebody edits route files at peak time and makes every kind of mistake: each is reported, the last good version
 * keeps running, and no call is lost or made twice.
 */
class LiveEditingIT {
    /** @param edit the whole text, one character per byte */
    private record Mistake(String kind, String file, UnaryOperator<String> edit) {
        static Mistake of(String kind, String file, String good, String bad) {
            return new Mistake(kind, file, text -> text.replace(good, bad));
        }
    }

    private static final List<Mistake> MISTAKES = List.of(
            Mistake.of("no YAML", "queue.camel.yaml", "description:", "description: ["),
            new Mistake(
                    "saved by half",
                    "queue.camel.yaml",
                    text -> text.substring(0, text.indexOf("method: hasChanges") + 4)),
            new Mistake("emptied", "queue.camel.yaml", text -> ""),
            new Mistake("only comments left", "queue.camel.yaml", text -> text.replaceAll("(?m)^", "# ")),
            new Mistake("not UTF-8", "queue.camel.yaml", text -> text.replace("every", "jedes Mal f\u00fcr")),
            new Mistake("one word", "queue.camel.yaml", text -> "later"),
            new Mistake("no list", "queue.camel.yaml", text -> "route:\n  id: take-turn\n"),
            Mistake.of("unknown step", "queue.camel.yaml", "- bean:", "- beam:"),
            Mistake.of("unknown bean", "queue.camel.yaml", "ref: retention", "ref: retentiom"),
            Mistake.of("unknown method", "queue.camel.yaml", "method: forgetWhatIsDue", "method: forgetWhatIsDew"),
            Mistake.of("unknown component", "queue.camel.yaml", "uri: quartz:queue/poll", "uri: kwartz:queue/poll"),
            Mistake.of("unknown option", "queue.camel.yaml", "stateful: true", "stateless: true"),
            Mistake.of("unknown route", "queue.camel.yaml", "direct:take-turn", "direkt:take-turn"),
            Mistake.of("unknown setting", "queue.camel.yaml", "{{freshet.queue.poll-ms}}", "{{freshet.queue.pole-ms}}"),
            Mistake.of("bad expression", "queue.camel.yaml", "${body.tags} > 0", "${body.tags > 0"),
            Mistake.of("unknown statement", "deliver.camel.yaml", "queries/deliver/claim.sql", "queries/klaim.sql"),
            Mistake.of(
                    "unknown class",
                    "targets/tag.camel.yaml",
                    "dev.freshet.deliver.Target",
                    "dev.freshet.deliver.Goal"),
            new Mistake("an id that another file has", "again.yaml", text -> route("take-turn", "direct:again")),
            new Mistake("a way in that another file has", "again.yaml", text -> route("again", "direct:take-turn")));

    /** The number of changes that are under way at a time. */
    private static final int AHEAD = 100;

    @Test
    void no_mistake_in_a_route_file_loses_or_repeats_a_call() throws Exception {
        try (Scene scene = new Scene()) {
            FreshetProcess freshet = scene.start();
            AtomicBoolean enough = new AtomicBoolean();
            CompletableFuture<Integer> load = CompletableFuture.supplyAsync(() -> write(scene, enough));
            for (Mistake mistake : MISTAKES) {
                make(mistake, scene, freshet);
                assertTrue(!load.isDone(), "the load goes on");
            }
            enough.set(true);
            int written = load.join();
            scene.letEverythingPass();
            for (int i = 0; i < written; i++) {
                scene.receiver.awaitCalls("load-" + i, 1);
            }
            scene.letEverythingPass();
            for (int i = 0; i < written; i++) {
                assertEquals(1, scene.receiver.calls("load-" + i).size(), "load-" + i);
            }
        }
    }

    private static void make(Mistake mistake, Scene scene, FreshetProcess freshet) throws IOException {
        Path file = freshet.folder().resolve("routes").resolve(mistake.file());
        String good = Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : null;
        String bad = mistake.edit().apply(good);
        assertNotEquals(good, bad, mistake.kind());
        String name = "routes/" + mistake.file();
        int told = timesLogged(freshet, name + " is not taken over");
        int mended = timesLogged(freshet, name + " is again as it runs");
        Files.writeString(file, bad, StandardCharsets.ISO_8859_1);
        Scene.until(mistake.kind() + " told", () -> timesLogged(freshet, name + " is not taken over") > told);
        String shortName = file.getFileName().toString();
        String health = freshet.get("/observe/health").body();
        // a mistake about something missing has no line
        String where = shortName + (bad.isBlank() ? "" : " line \\d");
        assertTrue(
                Pattern.compile("not in force, see the log: " + where)
                        .matcher(health)
                        .find(),
                mistake.kind() + ": " + health);
        if (good == null) {
            Files.delete(file);
        } else {
            Files.writeString(file, good, StandardCharsets.ISO_8859_1);
        }
        Scene.until(mistake.kind() + " mended", () -> timesLogged(freshet, name + " is again as it runs") > mended);
        assertTrue(freshet.get("/observe/health").body().contains("all files are in force"), mistake.kind());
    }

    private static int write(Scene scene, AtomicBoolean enough) {
        try (Connection application = scene.database.connect()) {
            int written = 0;
            while (!enough.get()) {
                Scene.enqueue(application, "load-" + written++);
                if (written > AHEAD) {
                    scene.receiver.awaitCalls("load-" + (written - AHEAD), 1);
                }
            }
            return written;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static String route(String id, String from) {
        return """
            - route:
                id: %s
                from:
                  uri: %s
                  steps:
                    - log: "again"
            """.formatted(id, from);
    }

    private static int timesLogged(FreshetProcess freshet, String what) {
        return freshet.log().split(Pattern.quote(what), -1).length - 1;
    }
}
