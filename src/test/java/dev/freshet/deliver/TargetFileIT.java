package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * A target is a file: owed as soon as the file is there, still owed while nobody serves it, forgotten once it is
 * deleted for good.
 */
class TargetFileIT {
    private static final String[] OWED =
            IntStream.range(0, 20).mapToObj(i -> "promised-" + i).toArray(String[]::new);

    @Test
    void a_target_is_owed_until_its_file_is_deleted() throws Exception {
        try (Receiver second = new Receiver();
                Scene scene = new Scene("FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s")) {
            Path folder = FreshetProcess.newFolder();
            Path file = Scene.dropTarget(folder, "second", second);
            FreshetProcess with = scene.start(folder);
            scene.change("first");
            second.awaitCalls("first", 1);
            scene.awaitProcessed("first");
            assertEquals(0, with.term(), with.log());

            FreshetProcess without = scene.start();
            scene.change("owed");
            scene.receiver.awaitCalls("owed", 1);
            Scene.until(
                    "settled here",
                    () -> scene.isTrue(
                            "SELECT string_agg(target, ',') = 'second' FROM freshet.delivery WHERE tag = 'owed'"));
            assertTrue(scene.isTrue(
                    "SELECT last_invalidated_at IS NULL FROM public.cache_invalidation_queue WHERE tag = 'owed'"));
            assertEquals(0, without.term(), without.log());

            FreshetProcess again = scene.start(folder);
            second.awaitCalls("owed", 1);
            scene.awaitProcessed("owed");
            assertEquals(1, scene.receiver.calls("owed").size());

            second.next("refused", Receiver.status(404));
            scene.changeAndAwait("refused");
            second.always("failing", Receiver.status(503));
            scene.changeAndAwait("failing");
            Receiver.Held held = second.hold("under-way");
            scene.change("under-way");
            held.awaitBegun();
            Files.delete(file);
            held.release();
            scene.awaitProcessed("under-way");
            again.waitForLog(Pattern.compile("Target second is not served here any more"));
            scene.change("too-late");
            scene.receiver.awaitCalls("too-late", 1);
            Scene.until(
                    "owed for another minute",
                    () -> scene.isTrue("SELECT count(*) = 1 FROM freshet.delivery WHERE tag = 'too-late'"));

            aMinuteLater(scene, "second");
            Scene.until(
                    "forgotten", () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.target WHERE name = 'second'"));
            scene.awaitProcessed("too-late", "failing");
            scene.letEverythingPass();
            assertEquals("0", scene.one("SELECT count(*) FROM freshet.delivery"));
            assertEquals(
                    List.of(
                            "failing: the file of the target was deleted",
                            "refused: HTTP 404",
                            "too-late: the file of the target was deleted"),
                    scene.database.list(
                            "SELECT tag || ': ' || last_error FROM freshet.dead_letter WHERE target = 'second' ORDER"
                                    + " BY tag"));
            assertEquals(
                    List.of("dead"),
                    scene.database.list(
                            "SELECT DISTINCT outcome FROM public.invalidation_audit WHERE target = 'second' AND detail"
                                    + " = 'the file of the target was deleted' AND keys @> '[\"too-late\"]'"));
            assertEquals(0, second.calls("too-late").size());
            assertFalse(second.calls().stream()
                    .anyMatch(call -> call.body().contains("sentinel-")
                            && call.nanos() > second.calls("under-way").get(0).nanos()));
        }
    }

    @Test
    void what_a_target_is_owed_survives_the_absence_of_its_file_on_one_instance() throws Exception {
        try (Receiver second = new Receiver();
                Scene scene = new Scene()) {
            Path folder = FreshetProcess.newFolder();
            Path file = Scene.dropTarget(folder, "second", second);
            FreshetProcess loses = scene.start(folder);
            Path other = FreshetProcess.newFolder();
            Scene.dropTarget(other, "second", second);
            scene.start(other);
            owe(scene, second);

            Files.delete(file);
            loses.waitForLog(Pattern.compile("routes/targets/second.yaml is gone"));
            scene.letEverythingPass();
            Scene.until(
                    "the other one says that it serves it",
                    () -> scene.isTrue("SELECT deleted_at IS NULL FROM freshet.target WHERE name = 'second'"));
            assertDelivers(scene, second);
        }
    }

    /** The file is gone for a moment, as when an editor saves or git checks out, and Freshet looks in that moment. */
    @Test
    void a_file_that_was_gone_for_a_moment_gets_its_route_back_and_everything_it_is_owed() throws Exception {
        try (Receiver second = new Receiver();
                Scene scene = new Scene()) {
            Path folder = FreshetProcess.newFolder();
            Path file = Scene.dropTarget(folder, "second", second);
            FreshetProcess freshet = scene.start(folder);
            owe(scene, second);
            Path aside = folder.resolve("second.yaml~");
            for (int save = 1; save <= 3; save++) {
                int saves = save;
                Files.move(file, aside);
                scene.letEverythingPass();
                Scene.until(
                        "its route is gone", () -> timesLogged(freshet, "routes/targets/second.yaml is gone") == saves);
                Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
                Scene.until(
                        "its route is back", () -> timesLogged(freshet, "routes/targets/second.yaml is new") == saves);
            }
            assertDelivers(scene, second);
            Scene.until(
                    "known as ever",
                    () -> scene.isTrue("SELECT deleted_at IS NULL FROM freshet.target WHERE name = 'second'"));
        }
    }

    /** Owes twenty tags, each of which has failed or waits behind the breaker. */
    private static void owe(Scene scene, Receiver down) throws SQLException {
        for (String tag : OWED) {
            down.always(tag, Receiver.status(503));
        }
        scene.change(OWED);
        Scene.until(
                "tried in vain",
                () -> scene.isTrue(
                        "SELECT count(*) = 20 AND count(*) FILTER (WHERE attempts > 0) >= 5 FROM freshet.delivery"
                                + " WHERE target = 'second'"));
    }

    private static void assertDelivers(Scene scene, Receiver up) throws SQLException {
        for (String tag : OWED) {
            up.heal(tag);
        }
        Scene.until(
                "nothing owed",
                () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.delivery WHERE tag LIKE 'promised-%'"));
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter"));
        for (String tag : OWED) {
            assertTrue(up.calls(tag).size() > 0, tag);
        }
        scene.change("after");
        up.awaitCalls("after", 1);
    }

    private static void aMinuteLater(Scene scene, String target) throws SQLException {
        scene.database.run(
                "UPDATE freshet.target SET served_at = served_at - interval '1 minute' WHERE name = '" + target + "'");
    }

    private static int timesLogged(FreshetProcess freshet, String what) {
        return freshet.log().split(Pattern.quote(what), -1).length - 1;
    }
}
