package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.RouteTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SourceRoutesTest extends RouteTest {
    private static final String TEND = "sql:SELECT * FROM freshet.tend_watches()";

    SourceRoutesTest() {
        super("source.camel.yaml");
    }

    @Test
    void each_watch_that_was_tended_is_logged() throws Exception {
        answer(TEND, (Object) List.of("courses has a partition more", "players is gone"));
        send("tend-watches");
        assertEquals(
                List.of(TEND, "INFO Watch: courses has a partition more", "INFO Watch: players is gone"), happened());
        assertEquals(Duration.ofMinutes(1), every("tend-watches"));
    }
}
