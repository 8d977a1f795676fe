package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.testing.TestDatabase;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DeadLettersTest {
    @Test
    void an_empty_filter_counts_as_absent() throws Exception {
        try (TestDatabase database = TestDatabase.migrated()) {
            database.run("INSERT INTO freshet.target (name) VALUES ('app'); INSERT INTO freshet.dead_letter"
                    + " (target, tag, attempts, first_failed_at, last_failed_at) VALUES ('app', 'a', 1, now(), now())");
            DeadLetters letters = new DeadLetters(new Transactions(database.pool(1)));
            assertEquals(1L, letters.list("", "", "", null, null).get("total_count"));
            assertEquals(Map.of("replayed", 1L), letters.replayMatching(Map.of("target", "", "tag", "", "error", "")));
        }
    }
}
