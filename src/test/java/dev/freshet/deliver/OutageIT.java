package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JsonReceiver;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Two targets, one of them in trouble: the other notices nothing, and the troubled one is spared. Operators have added
 * a call to the route that hears of it, as its file suggests; it fails.
 */
class OutageIT {
    private static final Receiver SECOND = new Receiver();
    private static final JsonReceiver OPERATORS = new JsonReceiver();
    private static final int CHANGES = 12;

    private static Scene scene;
    private static FreshetProcess freshet;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "FRESHET_TARGET_TIMEOUT=25s", "FRESHET_LEASE=60s", "SLACK_WEBHOOK=" + OPERATORS.url + "/secret");
        Path folder = FreshetProcess.newFolder();
        Scene.dropTarget(folder, "second", SECOND);
        Path file = folder.resolve("routes/deliver.camel.yaml");
        String text = Files.readString(file); // its last route is breaker-changed, with an example as a comment
        String example = text.lines()
                .filter(line -> line.startsWith("#         "))
                .map(line -> line.substring(2) + "\n")
                .collect(Collectors.joining());
        Files.writeString(file, text + example);
        OPERATORS.always(500, "{}");
        freshet = scene.start(folder);
    }

    @AfterAll
    static void close() throws Exception {
        SECOND.close();
        OPERATORS.close();
        scene.close();
    }

    @Test
    void a_target_that_hangs_delays_no_change_for_the_other() throws SQLException {
        Receiver.Held hanging = SECOND.hold("same");
        scene.change("same");
        hanging.awaitBegun();
        scene.receiver.awaitCalls("same", 1);
        scene.change("same");
        scene.receiver.awaitCalls("same", 2);
        scene.letEverythingPass();
        assertEquals(1, SECOND.calls("same").size());
        hanging.release();
        SECOND.awaitCalls("same", 2);
        scene.awaitProcessed("same");
        assertEquals(2, scene.receiver.calls("same").size());
    }

    @Test
    void a_target_that_is_down_is_spared_and_gets_each_tag_at_most_twice_when_it_is_back() throws SQLException {
        String[] tags = IntStream.range(0, 8).mapToObj(i -> "down-" + i).toArray(String[]::new);
        SECOND.everybody(Receiver.status(503));
        for (int i = 1; i <= CHANGES; i++) {
            scene.change(tags);
            for (String tag : tags) {
                scene.receiver.awaitCalls(tag, i);
            }
        }
        scene.awaitProcessed(tags);
        assertTrue(isOpen());
        awaitToldAndLogged(
                true,
                "WARN  breaker-changed    Target second does not answer: no calls from now on but one probe after 1,"
                        + " 2, 4, 8, 10, 10 … seconds");
        assertEquals("8", scene.one("SELECT count(*) FROM freshet.delivery WHERE target = 'second'"));
        SECOND.everybody(null);
        Scene.until(
                "the backlog is gone",
                () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.delivery WHERE target = 'second'"));
        assertTrue(!isOpen());
        awaitToldAndLogged(false, "INFO  breaker-changed    Target second answers again");
        assertTrue(freshet.log().contains("breaker-changed failed: HTTP 500"), freshet.log());
        assertTrue(!freshet.log().contains(OPERATORS.url), freshet.log());
        scene.letEverythingPass();
        for (String tag : tags) {
            long well =
                    SECOND.calls(tag).stream().filter(Receiver.Call::wentWell).count();
            assertTrue(well == 1 || well == 2, tag + ": " + well);
            assertEquals(CHANGES, scene.receiver.calls(tag).size());
        }
        assertTrue(SECOND.calls().stream().filter(call -> !call.wentWell()).count() < 8 * CHANGES);
        assertEquals(List.of(), scene.database.list("SELECT tag FROM freshet.dead_letter"));
    }

    @Test
    void broken_tags_open_no_breaker_and_keep_no_healthy_tag_waiting() throws SQLException {
        String[] broken = IntStream.range(0, 100).mapToObj(i -> "broken-" + i).toArray(String[]::new);
        for (String tag : broken) {
            SECOND.always(tag, Receiver.status(500));
        }
        scene.change(broken);
        for (String tag : broken) {
            SECOND.awaitCalls(tag, 1);
        }
        for (int i = 0; i < 20; i++) {
            scene.change("healthy-" + i);
            SECOND.awaitCalls("healthy-" + i, 1);
            assertTrue(!isOpen());
        }
        scene.database.run("DELETE FROM freshet.delivery WHERE tag LIKE 'broken-%'");
    }

    @Test
    void a_retry_holds_one_delivery_however_many_changes_follow() throws SQLException {
        SECOND.next("again", Receiver.status(503, "Retry-After: 5"));
        for (int i = 1; i <= CHANGES; i++) {
            scene.change("again");
            scene.receiver.awaitCalls("again", i);
            scene.awaitProcessed("again");
        }
        SECOND.awaitCalls("again", 2);
        Scene.until("delivered", () -> scene.isTrue("SELECT count(*) = 0 FROM freshet.delivery WHERE tag = 'again'"));
        scene.letEverythingPass();
        assertTrue(SECOND.calls("again").size() <= 3, SECOND.calls("again").size() + " calls");
    }

    private static void awaitToldAndLogged(boolean open, String line) {
        Scene.until(
                "told " + open,
                () -> OPERATORS.calls.stream()
                        .map(told -> told.body().path("text").asText())
                        .anyMatch(("Target second: its breaker is open: " + open)::equals));
        assertTrue(freshet.log().contains(line), freshet.log());
    }

    private static boolean isOpen() throws SQLException {
        return scene.isTrue("SELECT open_until IS NOT NULL FROM freshet.target WHERE name = 'second'");
    }
}
