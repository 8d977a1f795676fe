package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.UsualTerms;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.postgresql.PGStatement;

/** How far back a hand-over looks if a look at the whole queue is slow. */
class NarrowLooksTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final long SLOW = Duration.ofHours(1).toNanos();

    private final NarrowLooks looks = new NarrowLooks(Duration.ofSeconds(10), Duration.ofSeconds(5));

    @Test
    void the_whole_queue_is_looked_at_while_that_is_quick() {
        looks.emptied(at(0));
        looks.took(NarrowLooks.EVER, Duration.ofMillis(4).toNanos(), 0);
        assertEquals(NarrowLooks.EVER, looks.since());
        for (int i = 0; i < 10; i++) {
            looks.took(NarrowLooks.EVER, Duration.ofMillis(300).toNanos(), 2_000);
        }
        assertEquals(NarrowLooks.EVER, looks.since(), "that was the work itself");
        looks.took(NarrowLooks.EVER, SLOW, 10);
        assertEquals(NarrowLooks.EVER, looks.since(), "and that may be the machine");
    }

    @Test
    void a_slow_queue_is_not_searched_again_where_it_was_emptied() {
        looks.emptied(at(0));
        makeSlow(looks);
        assertEquals(at(-15), looks.since());
        looks.emptied(at(20));
        assertEquals(at(5), looks.since());
        looks.emptied(at(10));
        assertEquals(at(5), looks.since());
    }

    @Test
    void a_late_commit_widens_the_search_back_to_its_bucket() {
        looks.emptied(at(0));
        makeSlow(looks);
        looks.added(at(-60));
        assertEquals(at(-65), looks.since());
        looks.added(at(-30));
        assertEquals(at(-65), looks.since());
        looks.added(null);
        looks.emptied(at(1));
        assertEquals(at(-14), looks.since());
        looks.added(NarrowLooks.EVER);
        assertEquals(NarrowLooks.EVER, looks.since());
    }

    @Test
    void a_manual_run_does_not_narrow_the_search() {
        makeSlow(looks);
        looks.emptied(new Timestamp(PGStatement.DATE_POSITIVE_INFINITY));
        assertEquals(NarrowLooks.EVER, looks.since());
    }

    @Test
    void a_turn_hands_over_what_it_has_folded_however_old_that_is() throws Exception {
        try (TestDatabase database = TestDatabase.migrated()) {
            Transactions transactions = new Transactions(database.pool(2));
            Lanes lanes = new Lanes(transactions, UsualTerms.TERMS);
            Turn turn = new Turn(
                    transactions, new Marking(), lanes, calls -> {}, Duration.ofSeconds(5), Duration.ofSeconds(5));
            database.run("INSERT INTO freshet.target (name) VALUES ('x')");
            turn.take();
            turn.looks().emptied(Timestamp.from(Instant.now()));
            makeSlow(turn.looks());
            database.run("INSERT INTO freshet.inbox (tag, changed_at) VALUES ('late', now() - interval '1 hour')");
            assertEquals(List.of("late"), turn.take().handed());
            database.run("INSERT INTO cache_invalidation_queue (tag, time_bucket)"
                    + " VALUES ('foreign', now() - interval '1 hour')");
            assertEquals(List.of(), turn.take().handed(), "not before the whole is looked at again");
            assertEquals(List.of("foreign"), turn.takeAll(false).handed());
        }
    }

    private static void makeSlow(NarrowLooks looks) {
        for (int i = 0; i < 3; i++) {
            looks.took(NarrowLooks.EVER, SLOW, 10);
        }
    }

    private static Timestamp at(int second) {
        return Timestamp.from(NOON.plusSeconds(second));
    }
}
