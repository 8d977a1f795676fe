package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class QueueRoutesTest extends RouteTest {
    QueueRoutesTest() {
        super("queue.camel.yaml");
        set("freshet.queue.poll-ms", "70");
    }

    @Test
    void a_poll_takes_a_turn_and_wakes_deliveries_if_tags_were_ripe() throws Exception {
        answer("turn.take", new TurnReport(true, List.of("course:7", "course:8"), 1, List.of()));
        send("poll-queue");
        assertEquals(
                List.of(
                        "targets.register()",
                        "turn.take()",
                        "INFO Processing 2 unique tags from 1 time buckets",
                        "wake seda:offer"),
                happened());
        assertEquals(Duration.ofMillis(70), every("poll-queue"));
    }

    @Test
    void a_turn_that_found_nothing_ripe_wakes_nobody() throws Exception {
        answer("turn.take", TurnReport.NOTHING);
        send("direct:take-turn");
        assertEquals(List.of("targets.register()", "turn.take()", "DEBUG No invalidations pending"), happened());
    }

    @Test
    void a_probe_takes_a_turn_only_if_something_was_committed() throws Exception {
        answer("inbox.hasChanges", false, true);
        answer("turn.take", TurnReport.NOTHING);
        send("direct:probe-inbox");
        assertEquals(List.of("inbox.hasChanges()"), happened());
        send("direct:probe-inbox");
        assertEquals(
                List.of("inbox.hasChanges()", "targets.register()", "turn.take()", "DEBUG No invalidations pending"),
                happened());
    }

    @Test
    void once_there_is_room_again_more_is_handed_over_without_a_fold() throws Exception {
        answer("turn.takeMore", new TurnReport(true, List.of("course:7"), 1, List.of()));
        send("direct:hand-over-more");
        assertEquals(
                List.of("turn.takeMore()", "INFO Processing 1 unique tags from 1 time buckets", "wake seda:offer"),
                happened());
    }

    @Test
    void rows_past_their_retention_are_removed_every_10_seconds() throws Exception {
        send("forget-processed");
        assertEquals(List.of("retention.forgetWhatIsDue()"), happened());
        assertEquals(Duration.ofSeconds(10), every("forget-processed"));
    }
}
