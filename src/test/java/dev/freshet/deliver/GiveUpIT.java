package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** With a FRESHET_RETRY_FOR of one second: whatever fails for longer becomes a dead letter, and none is lost. */
class GiveUpIT {
    private static Scene scene;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("FRESHET_RETRY_FOR=1s");
        scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void a_tag_that_fails_for_too_long_becomes_a_dead_letter() throws SQLException {
        scene.receiver.always("hopeless", Receiver.status(500));
        scene.change("hopeless");
        awaitDead("hopeless");
        scene.awaitProcessed("hopeless");
        assertEquals(
                "500|HTTP 500",
                scene.one("SELECT concat_ws('|', last_status, last_error) FROM freshet.dead_letter WHERE tag ="
                        + " 'hopeless'"));
        scene.receiver.heal("hopeless");
        scene.changeAndAwait("hopeless");
        assertEquals(List.of(), scene.database.list("SELECT tag FROM freshet.dead_letter WHERE tag = 'hopeless'"));
    }

    @Test
    void a_tag_held_up_too_long_by_an_outage_becomes_a_dead_letter() throws SQLException {
        String[] tags = IntStream.range(0, 9).mapToObj(i -> "outage-" + i).toArray(String[]::new);
        scene.receiver.everybody(Receiver.status(503));
        scene.change(tags);
        awaitDead(tags);
        scene.awaitProcessed(tags);
        scene.receiver.everybody(null);
        Scene.until("the target is back", () -> {
            scene.change("is-it-back");
            return scene.receiver.calls("is-it-back").stream().anyMatch(Receiver.Call::wentWell);
        });
    }

    private static void awaitDead(String... tags) {
        Scene.until(
                "dead letters",
                () -> scene.isTrue(
                        "SELECT count(tag) = cardinality(t) FROM (SELECT ?::text[] AS t) x"
                                + " LEFT JOIN freshet.dead_letter ON tag = ANY (t) WHERE NOT EXISTS"
                                + " (SELECT FROM freshet.delivery WHERE tag = ANY (t))"
                                + " GROUP BY t",
                        (Object) tags));
    }
}
