package dev.freshet.console;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;
import java.util.List;

/**
 * What the console shows first.
 *
 * @param work null while the database does not answer, and so is {@code surroundings}
 */
@JsonAnswer
record OverviewAnswer(
        Verdict.Judged health,
        @JsonUnwrapped WorkInHand work,
        @JsonUnwrapped Surroundings surroundings,
        Freshness.Lately freshness,
        Coalesced coalescing,
        String instance,
        String version,
        @InUtc Instant startedAt,
        int statsFunctions,
        RouteSummary routes) {

    @JsonAnswer
    record Coalesced(double changes, double callsSaved, double factor) {}

    /** @param revision changes whenever a route or file changes */
    @JsonAnswer
    record RouteSummary(String revision, int stopped, int broken) {}

    /** The overview with the charts' data. */
    @JsonAnswer
    record WithSeries(@JsonUnwrapped OverviewAnswer now, List<Freshness.Point> series) {}
}
