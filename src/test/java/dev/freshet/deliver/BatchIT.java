package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A target that takes up to five tags in a call and checks signatures with a key written as the specification says. */
class BatchIT {
    private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes();

    private static Scene scene;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "FRESHET_REVALIDATE_BATCH=5",
                "REVALIDATION_SECRET=whsec_" + Base64.getEncoder().encodeToString(KEY));
        scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Test
    void tags_of_one_transaction_are_sent_in_batches() throws Exception {
        String[] tags = IntStream.range(0, 12).mapToObj(i -> "together-" + i).toArray(String[]::new);
        scene.change(tags);
        scene.awaitProcessed(tags);
        List<Receiver.Call> calls = callsOf("together-");
        assertEquals(
                List.of(2, 5, 5),
                calls.stream().map(call -> call.tags().size()).sorted().toList());
        assertEquals(
                12,
                calls.stream().flatMap(call -> call.tags().stream()).distinct().count());
        for (Receiver.Call call : calls) {
            assertEquals(1, call.json().size(), call.body());
            assertEquals("v1," + DeliverIT.signature(call, KEY), call.header("webhook-signature"));
        }
    }

    @Test
    void a_refused_batch_is_narrowed_to_the_tags_that_cause_it() throws SQLException {
        String[] tags = IntStream.range(0, 10)
                .mapToObj(i -> i % 7 == 3 ? "guilty-" + i : "innocent-" + i)
                .toArray(String[]::new);
        scene.receiver.always("guilty-3", Receiver.status(422));
        scene.change(tags);
        scene.awaitProcessed(tags);
        assertEquals(List.of("guilty-3"), scene.database.list("SELECT tag FROM freshet.dead_letter"));
        List<Receiver.Call> well = callsOf("").stream()
                .filter(call -> !call.tags().contains("guilty-3"))
                .toList();
        for (String innocent : tags) {
            assertEquals(
                    innocent.equals("guilty-3") ? 0 : 1,
                    well.stream().filter(call -> call.tags().contains(innocent)).count(),
                    innocent);
        }
        assertEquals(
                1,
                scene.receiver.calls("guilty-3").stream()
                        .filter(call -> call.tags().size() == 1)
                        .count());
    }

    @Test
    void a_failed_batch_is_sent_again_unchanged_with_the_same_id() throws SQLException {
        scene.receiver.next("again-0", Receiver.status(503));
        scene.change("again-0", "again-1", "again-2");
        scene.awaitProcessed("again-0", "again-1", "again-2");
        List<Receiver.Call> calls = callsOf("again-");
        assertEquals(2, calls.size());
        assertEquals(
                1,
                new TreeSet<>(calls.stream()
                                .map(call -> call.header("webhook-id") + call.body())
                                .toList())
                        .size());
        assertTrue(calls.get(0).tags().containsAll(List.of("again-0", "again-1", "again-2")));
    }

    private static List<Receiver.Call> callsOf(String prefix) {
        return scene.receiver.calls().stream()
                .filter(call -> call.tags().stream().anyMatch(tag -> tag.startsWith(prefix)))
                .toList();
    }
}
