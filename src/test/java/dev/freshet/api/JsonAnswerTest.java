package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.freshet.database.Json;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonAnswerTest {
    @JsonAnswer
    private record Counts(long perSecond, Double p50Ms) {}

    @JsonAnswer
    private record Whole(
            String zuluName,
            @InUtc Instant lastFailedAt,
            @JsonUnwrapped Counts counts,
            boolean open,
            List<Counts> all) {}

    @Test
    void components_are_named_in_snake_case_and_keep_their_order() {
        assertEquals(
                "{\"zulu_name\":\"z\",\"last_failed_at\":\"2026-01-01T00:00:00Z\",\"per_second\":1,\"p50_ms\":null,"
                        + "\"open\":true,\"all\":[{\"per_second\":2,\"p50_ms\":0.5}]}",
                Json.text(new Whole(
                        "z",
                        Instant.parse("2026-01-01T00:00:00Z"),
                        new Counts(1, null),
                        true,
                        List.of(new Counts(2, 0.5)))));
    }

    @Test
    void a_null_is_written_as_null_and_a_missing_part_is_left_out() {
        assertEquals(
                "{\"zulu_name\":null,\"last_failed_at\":null,\"open\":false,\"all\":[]}",
                Json.text(new Whole(null, null, null, false, List.of())));
    }
}
