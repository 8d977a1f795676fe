package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;
import java.util.List;

/**
 * Parts of the overview that are more expensive to query and change more slowly.
 *
 * @param instances null behind a pooler, where it is unknown
 */
@JsonAnswer
record Surroundings(
        Long instances,
        List<HotTag> hottest,
        long watches,
        List<StandingPolicy> policies,
        List<WatchProblem> watchProblems) {

    /** @param estimated extrapolated from a sample of a large table */
    @JsonAnswer
    record HotTag(
            String tag,
            long changes,
            boolean estimated,
            @InUtc Instant lastInvalidatedAt,
            Boolean pending,
            boolean retrying,
            boolean givenUp) {}

    @JsonAnswer
    record StandingPolicy(
            String pattern,
            String debounce,
            boolean atOnce,
            String profile,
            int priority,
            @InUtc Instant madeAt) {}

    @JsonAnswer
    record WatchProblem(String tableName, String problem) {}
}
