package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.queue.TurnReport;
import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SourceClockRoutesTest extends RouteTest {
    SourceClockRoutesTest() {
        super("source-clock.camel.yaml");
    }

    @Test
    void the_clock_is_looked_at_every_second() throws Exception {
        send("tick");
        assertEquals(List.of("wake seda:look-at-clock"), happened());
        assertEquals(Duration.ofSeconds(1), every("tick"));
        send("wake seda:look-at-clock");
        assertEquals(List.of("moments.look()"), happened());
    }

    @Test
    void a_moment_that_has_come_takes_a_turn() throws Exception {
        answer("direct:take-turn", new TurnReport(true, List.of("course:7"), 1, List.of()));
        send("wake seda:clock-struck");
        assertEquals(List.of("direct:take-turn"), happened());
    }

    @Test
    void a_turn_that_another_instance_had_is_tried_again() throws Exception {
        TurnReport anothers = new TurnReport(false, List.of(), 0, List.of());
        answer("direct:take-turn", anothers);
        send("wake seda:clock-struck");
        assertEquals(List.of("direct:take-turn", "delay 50", "wake seda:clock-struck " + anothers), happened());
    }

    @Test
    void moments_of_unwatched_tables_are_forgotten_and_the_servers_time_zone_is_learned() throws Exception {
        send("forget-moments");
        send("learn-time-zone");
        assertEquals(List.of("moments.forget()", "serverTimeZone.learn()"), happened());
        assertEquals(Duration.ofMinutes(1), every("forget-moments"));
        assertEquals(Duration.ofHours(1), every("learn-time-zone"));
    }
}
