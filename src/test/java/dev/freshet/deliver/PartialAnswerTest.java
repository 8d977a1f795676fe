package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartialAnswerTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "-",
            value = {
                "200 | - | -",
                "204 | `` | -",
                "200 | OK | -",
                "200 | [1, 2] | -",
                "200 | {\"revalidated\": true} | -",
                "200 | {\"success\": true} | -",
                "200 | {\"success\": true, \"failed_tags\": []} | -",
                "200 | {\"success\": false, \"failed_tags\": [\"b\"]} | b",
                "207 | {\"failed_tags\": [\"b\"]} | b",
                "207 | {\"failed_tags\": [\"b\", {\"x\": [\"a\"]}, 7], \"success\": false} | b",
                "207 | {\"nested\": {\"success\": false, \"failed_tags\": [\"a\"]}, \"success\": true} | -",
                "207 | {\"failed_tags\": []} | -",
                "207 | {\"success\": false, \"failed_tags\": [\"b\", \"somebody else's\"]} | b",
                // it says that some failed, but not which
                "207 | - | a b c",
                "207 | multi | a b c",
                "200 | {\"success\": false} | a b c",
                "200 | {\"success\": false, \"failed_tags\": []} | a b c",
                "200 | {\"success\": false, \"failed_tags\": [\"somebody else's\"]} | a b c",
                "200 | {\"success\": false, \"failed_tags\": [\"b\" | a b c",
                "200 | {\"success\": false, \"message\": \"cut o | a b c",
                "207 | {\"failed_tags\": \"b\"} | a b c"
            })
    void tags_that_an_answer_leaves_open_count_as_failed(int status, String body, String failed) {
        assertEquals(
                failed == null ? List.of() : List.of(failed.split(" ")),
                List.copyOf(new TreeSet<>(PartialAnswer.of(status, body).failedOf(List.of("a", "b", "c")))));
    }
}
