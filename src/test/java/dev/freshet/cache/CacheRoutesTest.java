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
    void an_event_goes_to_the_topic() throws Exception {
        send("direct:publish", "{\"keys\":[\"page:7\"]}");
        assertEquals(List.of("bean:notifyTopic?method=publish {\"keys\":[\"page:7\"]}"), happened());
    }

    @Test
    void who_is_woken_sends_on_what_was_committed_and_lets_more_gather() throws Exception {
        send("seda:relay-publications");
        assertEquals(List.of("publications.sendOn()", "delay 10"), happened());
    }

    @Test
    void every_second_the_registry_follows_the_queue_and_nothing_is_left() throws Exception {
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
    void where_no_tag_has_changed_only_what_was_published_goes_on() throws Exception {
        answer("publications.whatWaits", new Publications.Waiting(false, true));
        send("poll-publications");
        assertEquals(List.of("publications.whatWaits()", "publications.sendOn()", "tallies.write()"), happened());
    }

    @Test
    void where_nothing_waits_nothing_is_begun() throws Exception {
        answer("publications.whatWaits", new Publications.Waiting(false, false));
        send("poll-publications");
        assertEquals(List.of("publications.whatWaits()", "tallies.write()"), happened());
    }

    @Test
    void every_10_seconds_the_registry_is_tidied() throws Exception {
        send("tidy-cache");
        assertEquals(
                List.of("entries.forgetExpired()", "invalidations.forgetAnswers()", "tallies.addUp()"), happened());
        assertEquals(Duration.ofSeconds(10), every("tidy-cache"));
    }
}
