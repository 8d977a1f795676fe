package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Batch, concurrency and rate are written once, in a target's file. An edit is in force when the log says so. */
class TargetNumbersIT {
    private static Receiver second;
    private static Scene scene;
    private static FreshetProcess freshet;
    private static Path file;

    @BeforeAll
    static void open() throws Exception {
        second = new Receiver();
        scene = new Scene("FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s");
        Path folder = FreshetProcess.newFolder();
        file = Scene.dropTarget(folder, "second", second);
        freshet = scene.start(folder);
    }

    @AfterAll
    static void close() throws Exception {
        second.close();
        scene.close();
    }

    @Test
    void an_edited_batch_size_holds_for_the_next_call() throws Exception {
        scene.change(tags("single", 10));
        scene.awaitProcessed(tags("single", 10));
        assertEquals(List.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), sizes("single"));
        edit("batch", "5");
        scene.change(tags("batched", 10));
        scene.awaitProcessed(tags("batched", 10));
        assertEquals(List.of(5, 5), sizes("batched"));
        scene.change("alone-in-its-batch");
        second.awaitCalls("alone-in-its-batch", 1);
        assertEquals(
                "{\"tags\":[\"alone-in-its-batch\"]}",
                second.calls("alone-in-its-batch").get(0).body());
        edit("batch", "1");
        scene.change(tags("single-again", 10));
        scene.awaitProcessed(tags("single-again", 10));
        assertEquals(10, sizes("single-again").size());
        assertEquals(
                "{\"tag\":\"single-again-0\"}",
                second.calls("single-again-0").get(0).body());
    }

    @Test
    void a_concurrency_above_every_default_is_reached() throws Exception {
        edit("concurrency", "40");
        List<Receiver.Held> calls =
                IntStream.range(0, 40).mapToObj(i -> second.hold("wide-" + i)).toList();
        scene.change(tags("wide", 40));
        calls.forEach(Receiver.Held::awaitBegun);
        List<Long> begun = second.calls().stream()
                .filter(call -> call.body().contains("wide-"))
                .map(Receiver.Call::nanos)
                .sorted()
                .toList();
        assertTrue(begun.get(39) - begun.get(0) < 20_000_000_000L, "before the first has timed out: " + begun);
        calls.forEach(Receiver.Held::release);
        scene.awaitProcessed(tags("wide", 40));
    }

    @Test
    void an_edited_rate_paces_the_next_calls() throws Exception {
        edit("rate", "4");
        scene.change(tags("paced", 6));
        scene.awaitProcessed(tags("paced", 6));
        List<Long> begun = second.calls().stream()
                .filter(call -> call.body().contains("paced-"))
                .map(Receiver.Call::nanos)
                .sorted()
                .toList();
        assertTrue(begun.get(5) - begun.get(0) > 1_000_000_000L, "five quarters of a second: " + begun);
        edit("rate", "0");
        scene.changeAndAwait("not-paced");
    }

    private static List<Integer> sizes(String prefix) {
        return second.calls().stream()
                .filter(call -> call.tags().stream().anyMatch(tag -> tag.startsWith(prefix + "-")))
                .map(call -> call.tags().size())
                .toList();
    }

    private static String[] tags(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toArray(String[]::new);
    }

    private static void edit(String number, String value) throws IOException {
        String before = Files.readString(file);
        String after = before.replaceAll("(?m)^( +" + number + ": ).*$", "$1\"" + value + "\"");
        assertTrue(!before.equals(after), before);
        String told = "routes/targets/second.yaml has changed";
        int edits = freshet.log().split(Pattern.quote(told), -1).length;
        Files.writeString(file, after);
        Scene.until(told, () -> freshet.log().split(Pattern.quote(told), -1).length > edits);
    }
}
