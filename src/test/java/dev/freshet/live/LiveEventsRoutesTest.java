package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveEventsRoutesTest extends RouteTest {
    LiveEventsRoutesTest() {
        super("live.camel.yaml");
        set("freshet.live.poll-ms", "70");
    }

    @Test
    void a_poll_relays_and_reads_only_when_there_may_be_something() throws Exception {
        answer("lookout.polls", false, true);
        send("poll-live");
        send("poll-live");
        assertEquals(List.of("lookout.polls()", "lookout.polls()", "relay.take()", "published.read()"), happened());
        assertEquals(Duration.ofMillis(70), every("poll-live"));
    }

    @Test
    void a_probe_relays_for_as_long_as_it_sees_something() throws Exception {
        answer("lookout.seesSomething", true, true, false);
        send("direct:probe-live");
        assertEquals(
                List.of(
                        "lookout.seesSomething()",
                        "relay.take()",
                        "published.read()",
                        "lookout.seesSomething()",
                        "relay.take()",
                        "published.read()",
                        "lookout.seesSomething()"),
                happened());
    }

    @Test
    void a_hint_of_another_instance_makes_it_look() throws Exception {
        answer("relay.isAnothers", true);
        send("hear-live-hint", "instance-2");
        assertEquals(
                List.of("sleep.hear(instance-2)", "relay.isAnothers(instance-2)", "wake seda:look-at-live"),
                happened());
        answer("lookout.looks", true);
        send("wake seda:look-at-live");
        assertEquals(List.of("lookout.looks()", "relay.take()", "published.read()"), happened());
    }

    @Test
    void an_own_hint_is_ignored_and_a_wrong_one_relays_nothing() throws Exception {
        send("hear-live-hint", "instance-1");
        assertEquals(List.of("sleep.hear(instance-1)", "relay.isAnothers(instance-1)"), happened());
        send("wake seda:look-at-live");
        assertEquals(List.of("lookout.looks()"), happened());
    }

    @Test
    void the_route_that_hears_hints_is_started_by_tend_hints_only() throws Exception {
        assertTrue(from("hear-live-hint").endsWith("/freshet_live?datasource=#hintSource"), from("hear-live-hint"));
        assertEquals("false", autoStartup("hear-live-hint"));
        send("tend-hints");
        assertEquals(List.of("hints.tend()"), happened());
        assertEquals(Duration.ofSeconds(1), every("tend-hints"));
    }

    @Test
    void streams_are_kept_open_and_old_events_removed() throws Exception {
        send("beat");
        send("forget-live");
        assertEquals(List.of("hub.beat()", "history.forgetOld()"), happened());
        assertEquals(Duration.ofSeconds(15), every("beat"));
        assertEquals(Duration.ofMinutes(1), every("forget-live"));
    }
}
