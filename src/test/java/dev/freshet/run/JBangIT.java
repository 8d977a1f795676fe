package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.CamelJBang;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Without a build: Camel JBang runs the same routes/ and application.properties, with the jar next to them. */
class JBangIT {
    private static CamelJBang jbang;
    private static Scene scene;

    @BeforeAll
    static void open() throws Exception {
        jbang = new CamelJBang();
        scene = new Scene();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void changes_are_delivered_edits_take_effect_and_sigterm_stops_it_cleanly() throws Exception {
        FreshetProcess freshet = start();
        freshet.awaitListening();
        scene.changeAndAwait("under-jbang");
        assertEquals(
                200,
                freshet.get("/observe/health").statusCode(),
                freshet.get("/observe/health").body());

        Path file = freshet.folder().resolve("routes/targets/tag.camel.yaml");
        Files.writeString(file, Files.readString(file).replace("name: x-revalidation-secret", "name: x-edited-secret"));
        freshet.waitForLog(Pattern.compile("routes/targets/tag.camel.yaml has changed"));
        scene.changeAndAwait("edited-under-jbang");
        assertTrue(scene.receiver.calls("edited-under-jbang").get(0).header("x-edited-secret") != null);

        assertEquals(0, freshet.term(), freshet.log());
        assertTrue(freshet.log().contains("Freshet is stopping (SIGTERM)"), freshet.log());
    }

    @Test
    void a_bad_setting_is_one_clear_line_and_exit_code_2() throws Exception {
        scene.set("FRESHET_QUEUE_POLL=often");
        try {
            FreshetProcess freshet = start();
            assertEquals(2, freshet.exitCode(), freshet.log());
            assertTrue(freshet.log().contains("FRESHET_QUEUE_POLL is \"often\""), freshet.log());
            assertFalse(freshet.log().contains("\tat "), freshet.log());
        } finally {
            scene.set("FRESHET_QUEUE_POLL=200ms");
        }
    }

    private static FreshetProcess start() throws Exception {
        Path folder = FreshetProcess.newFolder();
        Files.copy(FreshetProcess.jar(), folder.resolve("freshet.jar"));
        return scene.launch(folder, jbang.run(folder, "freshet.jar", "application.properties"));
    }
}
