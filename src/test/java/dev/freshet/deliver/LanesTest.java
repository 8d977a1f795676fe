package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.Transactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a claim asks for a target again: not while nothing can be due, and always once something may be. */
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
    void a_delivery_that_comes_due_between_a_claim_and_its_answer_is_looked_for() {
        Map<String, Object> claim = claim();
        lanes.lookEverywhere(); // as after a replay that committed after the claim had looked
        lanes.claimed(claim, new ArrayList<>());
        assertEquals(1, lanes.withRoom().size());
    }

    @Test
    void a_claim_without_room_for_retries_does_not_prove_that_none_is_due() {
        int few = (Integer) claim().get("retries");
        lanes.lookEverywhere();
        List<Map<String, Object>> due =
                IntStream.range(0, few).mapToObj(i -> row(i, 1)).toList();
        lanes.claimed(claim(), due);
        Map<String, Object> second = claim();
        assertEquals(0, second.get("retries"));
        lanes.claimed(second, List.of());
        assertEquals(1, lanes.withRoom().size());
    }

    @Test
    void a_target_that_goes_after_another_one_has_no_room_for_hand_overs() {
        Target edge = new Target();
        edge.setName("edge");
        edge.setAfter("x");
        lanes.serve(edge);
        assertEquals(
                List.of("x"),
                lanes.claims().targets().stream().map(Claims.Room::target).toList());
        fill("x");
        assertTrue(lanes.claims().full(), "though the edge has room");
    }

    /** It asks about the oldest only, so what comes next may be behind them. */
    @Test
    void a_target_that_goes_after_another_one_is_asked_again_until_a_claim_finds_nothing() {
        Target edge = new Target();
        edge.setName("edge");
        edge.setAfter("x");
        edge.setBatch(100);
        lanes.serve(edge);
        Map<String, Object> first = claimOf("edge").orElseThrow();
        assertTrue((Integer) first.get("limit") > 3, first.toString());
        lanes.claimed(first, IntStream.range(0, 3).mapToObj(i -> row(i, 0)).toList());
        lanes.claimed(claimOf("edge").orElseThrow(), List.of());
        assertEquals(Optional.empty(), claimOf("edge"));
    }

    private Optional<Map<String, Object>> claimOf(String target) {
        return lanes.withRoom().stream()
                .filter(claim -> claim.get("target").equals(target))
                .findFirst();
    }

    private void fill(String target) {
        for (Map<String, Object> claim : lanes.withRoom()) {
            if (claim.get("target").equals(target)) {
                lanes.claimed(
                        claim,
                        IntStream.range(0, (Integer) claim.get("limit"))
                                .mapToObj(i -> row(i, 0))
                                .toList());
            }
        }
    }

    private Map<String, Object> row(int number, int rank) {
        Map<String, Object> row = new HashMap<>();
        row.put("tag", "tag" + number);
        row.put("id", (long) number);
        row.put("claimed_handover", 1L);
        row.put("lease_id", UUID.randomUUID());
        row.put("rank", rank);
        row.put("owed_seconds", 1.0);
        row.put("due_seconds", 1.0);
        row.put("age_seconds", 1.0);
        row.put("policies", lanes.policies().version());
        return row;
    }

    private Map<String, Object> claim() {
        return lanes.withRoom().get(0);
    }
}
