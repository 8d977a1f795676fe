package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Operators edit route files while Freshet runs, and a good edit takes effect. LiveEditingIT covers bad ones. */
class LiveRoutesIT {
    private static final int EDITS = Integer.getInteger("edits", 6);

    private static Scene scene;
    private static FreshetProcess freshet;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene();
        freshet = scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void an_edited_file_takes_effect_and_loses_no_call() throws Exception {
        Path file = freshet.folder().resolve("routes/targets/tag.camel.yaml");
        String before = Files.readString(file);
        Files.writeString(file, before.replace("name: x-revalidation-secret", "name: x-edited-secret"));
        int changes = 0;
        do {
            scene.change("edited-" + changes++);
        } while (!freshet.log().contains("routes/targets/tag.camel.yaml has changed") && changes < 20_000);
        for (int i = 0; i < changes; i++) {
            scene.receiver.awaitCalls("edited-" + i, 1);
        }
        scene.changeAndAwait("after-the-edit");
        assertTrue(scene.receiver.calls("after-the-edit").get(0).header("x-edited-secret") != null);
        Files.writeString(file, before);
        freshet.waitForLog(Pattern.compile(
                "(?s)routes/targets/tag.camel.yaml has changed.*routes/targets/tag.camel.yaml has changed"));
        scene.changeAndAwait("after-the-way-back");
        assertTrue(scene.receiver.calls("after-the-way-back").get(0).header("x-revalidation-secret") != null);
    }

    /** What is handed over at the moment of the swap must not be lost with the queue of the former route. */
    @Test
    void edits_while_changes_arrive_leave_no_call_waiting() throws Exception {
        Path file = freshet.folder().resolve("routes/targets/tag.camel.yaml");
        String before = Files.readString(file);
        int changes = 0;
        for (int edit = 0; edit < EDITS; edit++) {
            int taken = timesLogged("routes/targets/tag.camel.yaml has changed");
            Files.writeString(file, edit % 2 == 0 ? before + "\n# edited\n" : before);
            do {
                scene.change("swapped-" + changes++);
            } while (timesLogged("routes/targets/tag.camel.yaml has changed") == taken);
        }
        for (int i = 0; i < changes; i++) {
            scene.receiver.awaitCalls("swapped-" + i, 1);
        }
        scene.changeAndAwait("after-all-edits");
    }

    @Test
    void a_file_that_was_refused_stays_out_when_a_policy_is_edited() throws Exception {
        Path broken = freshet.folder().resolve("routes/queue.camel.yaml");
        Path policies = freshet.folder().resolve("routes/errors.camel.yaml");
        String goodQueue = Files.readString(broken);
        String goodPolicies = Files.readString(policies);
        int told = timesLogged("routes/queue.camel.yaml is not taken over");
        int edits = timesLogged("routes/errors.camel.yaml has changed");
        try {
            Files.writeString(broken, goodQueue.replace("ref: turn", "ref: tern"));
            Scene.until("told", () -> timesLogged("routes/queue.camel.yaml is not taken over") > told);
            Files.writeString(policies, goodPolicies + "\n# edited\n");
            Scene.until("the policies in force", () -> timesLogged("routes/errors.camel.yaml has changed") > edits);
            scene.changeAndAwait("after-the-policies");
        } finally {
            Files.writeString(broken, goodQueue);
            Files.writeString(policies, goodPolicies);
        }
        Scene.until("back", () -> timesLogged("routes/errors.camel.yaml has changed") > edits + 1);
        scene.changeAndAwait("after-the-policies-again");
    }

    @Test
    void a_new_file_starts_its_routes_and_a_deleted_one_ends_them() throws Exception {
        Path file = freshet.folder().resolve("routes/hello.yaml");
        Files.writeString(file, """
            - route:
                id: hello
                from:
                  uri: platform-http:/api/hello
                  parameters:
                    httpMethodRestrict: GET
                  steps:
                    - setBody:
                        constant: "hello"
            """);
        Scene.until("served", () -> freshet.get("/api/hello").body().equals("hello"));
        Files.delete(file);
        Scene.until("gone", () -> freshet.get("/api/hello").statusCode() == 404);
        assertFalse(freshet.log().contains("ERROR LiveRoutes         routes/hello.yaml"), freshet.log());
        assertEquals(200, freshet.get("/api/queue").statusCode());
    }

    private static int timesLogged(String what) throws IOException {
        return freshet.log().split(Pattern.quote(what), -1).length - 1;
    }
}
