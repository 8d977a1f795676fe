package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class CacheRoutesTest extends RouteTest {
    CacheRoutesTest() {
        super("cache.camel.yaml");
    }

    @Test
    void an_event_is_sent_to_the_topic() throws Exception {
        send("direct:publish", "{\"keys\":[\"page:7\"]}");
        assertEquals(List.of("bean:notifyTopic?method=publish {\"keys\":[\"page:7\"]}"), happened());
    }

    @Test
    void a_woken_relay_sends_on_committed_events_and_then_lets_more_gather() throws Exception {
        send("seda:relay-publications");
        assertEquals(List.of("publications.sendOn()", "delay 10"), happened());
    }

    @Test
    void the_registry_follows_the_queue_every_second() throws Exception {
        answer("publications.whatWaits", new Publications.Waiting(true, false));
        send("poll-publications");
        assertEquals(
                List.of(
                        "publications.whatWaits()",
                        "entries.followQueue()",
                        "publications.sendOn()",
                        "tallies.write()"),
                happened());
        assertEquals(Duration.ofSeconds(1), every("poll-publications"));
    }

    @Test
    void without_a_changed_tag_only_publications_are_sent_on() throws Exception {
        answer("publications.whatWaits", new Publications.Waiting(false, true));
        send("poll-publications");
        assertEquals(List.of("publications.whatWaits()", "publications.sendOn()", "tallies.write()"), happened());
    }

    @Test
    void with_nothing_waiting_only_tallies_are_written() throws Exception {
        answer("publications.whatWaits", new Publications.Waiting(false, false));
        send("poll-publications");
        assertEquals(List.of("publications.whatWaits()", "tallies.write()"), happened());
    }

    @Test
    void the_registry_is_tidied_every_10_seconds() throws Exception {
        send("tidy-cache");
        assertEquals(
                List.of("entries.forgetExpired()", "invalidations.forgetAnswers()", "tallies.addUp()"), happened());
        assertEquals(Duration.ofSeconds(10), every("tidy-cache"));
    }
}
