package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import dev.freshet.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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

    /** A column that one of them forgets would be lost on that way only, which no other test goes. */
    @Test
    void every_statement_that_writes_letters_names_every_column() throws Exception {
        List<String> columns;
        try (TestDatabase database = TestDatabase.migrated()) {
            columns = database.list("SELECT column_name FROM information_schema.columns WHERE table_schema = 'freshet'"
                    + " AND table_name = 'dead_letter' AND column_name <> 'id' ORDER BY ordinal_position");
        }
        Pattern insert = Pattern.compile("INSERT INTO freshet.dead_letter(?: AS l)?\\s+\\(([^)]*)\\)");
        Map<String, List<String>> written = new TreeMap<>();
        try (Stream<Path> files = Files.walk(Path.of("sql"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                insert.matcher(Files.readString(file))
                        .results()
                        .forEach(result -> written.put(
                                file.getFileName().toString(),
                                List.of(result.group(1).split(",\\s+"))));
            }
        }
        assertEquals(
                Set.of("finish-job.sql", "forget-copy.sql", "forget-target.sql", "give-up.sql", "settle.sql"),
                written.keySet());
        written.forEach((file, named) -> assertEquals(columns, named, file));
    }
}
