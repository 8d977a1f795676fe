package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whether a target is asked for again: not while nothing can be due, and always when something may be. */
class LanesTest {
    private final Lanes lanes = new Lanes(
            new Transactions(null),
            new Lanes.Terms(
                    Duration.ofSeconds(30), Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofSeconds(10)));

    @BeforeEach
    void serve() {
        Target target = new Target();
        target.setName("x");
        lanes.serve(target);
    }

    @Test
    void a_claim_that_finds_nothing_is_not_made_again_until_something_may_be_due() {
        lanes.claimed(claim(), new ArrayList<>());
        assertEquals(List.of(), lanes.withRoom());
        lanes.lookEverywhere();
        assertEquals(1, lanes.withRoom().size());
    }

    @Test
    void what_comes_due_between_a_claim_and_its_answer_is_looked_for() {
        Map<String, Object> claim = claim();
        lanes.lookEverywhere(); // as after a replay that committed when the claim had looked
        lanes.claimed(claim, new ArrayList<>());
        assertEquals(1, lanes.withRoom().size());
    }

    private Map<String, Object> claim() {
        return lanes.withRoom().get(0);
    }
}
