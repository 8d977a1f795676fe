package dev.freshet.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObserveRoutesTest extends RouteTest {
    ObserveRoutesTest() {
        super("observe.camel.yaml");
    }

    @Test
    void the_database_is_looked_at_every_5_seconds() throws Exception {
        send("observe-database");
        assertEquals(List.of("observation.look()"), happened());
        assertEquals(Duration.ofSeconds(5), every("observe-database"));
    }
}
