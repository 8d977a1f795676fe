package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.Transactions;
import dev.freshet.testing.TestDatabase;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What targets may spend, with several instances spending at the same time. */
class BudgetsTest {
    private TestDatabase database;
    private Budgets budgets;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
        budgets = new Budgets(new Transactions(database.pool(8)));
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void two_instances_together_are_granted_no_more_than_one_would_be() throws Exception {
        Target target = target("shared", "50 calls, 100/s");
        List<Budgets> instances = List.of(budgets, new Budgets(new Transactions(database.pool(8))));
        AtomicBoolean running = new AtomicBoolean(true);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        long begun = System.nanoTime();
        List<Future<Integer>> counts = IntStream.range(0, 8)
                .mapToObj(i -> threads.submit(() -> {
                    int granted = 0;
                    while (running.get()) {
                        granted += instances.get(i % 2).grant(target, 1, false, running::get) ? 1 : 0;
                    }
                    return granted;
                }))
                .toList();
        assertFalse(threads.awaitTermination(3, TimeUnit.SECONDS));
        running.set(false);
        int granted = 0;
        for (Future<Integer> count : counts) {
            granted += count.get();
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        threads.shutdown();
        // up to eight may have been waiting for a grant that was already theirs when the time was over
        assertTrue(granted <= 30 + 95 * seconds + 8, granted + " in " + seconds + " s");
        assertTrue(granted > 30, "and more than the bucket held: " + granted);
    }

    @Test
    void an_empty_bucket_grants_nothing_and_claims_are_told_so() {
        Target target = target("slow", "10 calls, 1/h");
        assertEquals(6 * 100, budgets.tagsAtHand(target, false));
        IntStream.range(0, 6).forEach(i -> assertTrue(budgets.grant(target, 100, false, () -> true)));
        assertFalse(budgets.grant(target, 1, false, () -> true));
        assertEquals(0, budgets.tagsAtHand(target, false));
        assertEquals(2 * 100, budgets.tagsAtHand(target, true), "the rest is for what is urgent");
        assertTrue(budgets.grant(target, 1, true, () -> true));
    }

    @Test
    void tags_count_as_well_as_calls_and_a_denied_call_spends_nothing() {
        Target target = target("tags", "100 calls, 50/s; 1000 tags, 1/h");
        assertTrue(budgets.grant(target, 500, false, () -> true));
        assertFalse(budgets.grant(target, 500, false, () -> true));
        assertTrue(budgets.grant(target, 100, false, () -> true));
        assertEquals(0, budgets.tagsAtHand(target, false));
    }

    @Test
    void targets_that_name_the_same_budget_share_it() {
        Target one = target("one", "10 calls, 1/h");
        Target other = target("other", "10 calls, 1/h");
        other.setBudget("one");
        IntStream.range(0, 6).forEach(i -> assertTrue(budgets.grant(one, 1, false, () -> true)));
        assertFalse(budgets.grant(other, 1, false, () -> true));
        assertTrue(budgets.grant(target("third", "10 calls, 1/h"), 1, false, () -> true));
    }

    @Test
    void limits_are_parsed_and_malformed_ones_refused() {
        for (String text : List.of("5/min", "25 calls", "x calls, 5/min", "25 calls, 5/day", "0 calls, 5/s")) {
            assertThrows(IllegalArgumentException.class, () -> Limits.of(text), text);
        }
        assertTrue(Limits.of("none").isEndless());
        assertEquals(5 / 60.0, Limits.of("25 calls, 5/min").calls().aSecond());
        assertEquals(
                5000, Limits.of("100 calls, 50/s; 5000 tags, 500/min").tags().atOnce());
    }

    private static Target target(String name, String limits) {
        Target target = new Target();
        target.setName(name);
        target.setBatch(100);
        target.setLimits(limits);
        return target;
    }
}
