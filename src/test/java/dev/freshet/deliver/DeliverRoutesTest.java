package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DeliverRoutesTest extends RouteTest {
    private static final String CLAIM = "sql:classpath:sql/queries/deliver/claim.sql";

    DeliverRoutesTest() {
        super("deliver.camel.yaml");
        set("freshet.queue.poll-ms", "70");
        set("freshet.deliver.breaker-probes", "0.5, 1, 2, 2.5, 2.5 …");
    }

    @Test
    void a_poll_makes_every_lane_look_again_and_wakes_deliveries() throws Exception {
        send("poll-deliveries", "what only the poll knows");
        assertEquals(List.of("ledger.wakeForWhatIsNoted()", "lanes.lookEverywhere()", "wake seda:offer"), happened());
        assertEquals(Duration.ofMillis(70), every("poll-deliveries"));
    }

    @Test
    void due_deliveries_are_claimed_for_each_target_with_room_and_queued_for_it() throws Exception {
        answer("lanes.withRoom", (Object) List.of(Map.of("target", "tag"), Map.of("target", "cdn")));
        answer(CLAIM, List.of("row 1"), List.of("row 2"));
        answer("lanes.claimed", List.of(call("course:7")), List.of(call("course:8")));
        send("wake seda:offer");
        assertEquals(
                List.of(
                        "lanes.withRoom()",
                        CLAIM + " {target=tag}",
                        "lanes.claimed({target=tag}, [row 1])",
                        "callQueues [[course:7]]",
                        CLAIM + " {target=cdn}",
                        "lanes.claimed({target=cdn}, [row 2])",
                        "callQueues [[course:8]]",
                        "turn.isMoreRipe()"),
                happened());
    }

    @Test
    void a_hand_over_follows_when_more_is_ripe() throws Exception {
        answer("lanes.withRoom", (Object) List.of());
        answer("turn.isMoreRipe", true);
        send("wake seda:offer");
        assertEquals(List.of("lanes.withRoom()", "turn.isMoreRipe()", "direct:hand-over-more"), happened());
    }

    @Test
    void each_result_of_a_call_is_noted() throws Exception {
        send("direct:delivered");
        send("direct:delivered-in-part");
        send("direct:failed");
        assertEquals(List.of("noteDelivered", "noteAnswer", "noteFailure"), happened());
    }

    @Test
    void outcomes_are_settled_together_counted_and_logged_before_their_room_is_used_again() throws Exception {
        answer("ledger.take", (Object) List.of("outcome"));
        send("wake seda:settle");
        assertEquals(
                List.of(
                        "ledger.take()",
                        "ledger.settle([outcome])",
                        "calls.count([outcome])",
                        "callLog.say([outcome])",
                        "wake seda:offer"),
                happened());
    }

    @Test
    void an_outage_and_its_end_are_logged_with_the_probes_that_are_set() throws Exception {
        send("seda:breaker-changed", new Ledger.BreakerChange("cdn", true));
        send("seda:breaker-changed", new Ledger.BreakerChange("cdn", false));
        assertEquals(
                List.of(
                        "WARN Target cdn does not answer: no calls from now on but one probe after 0.5, 1, 2, 2.5, 2.5"
                                + " … seconds",
                        "INFO Target cdn answers again"),
                happened());
    }
}
