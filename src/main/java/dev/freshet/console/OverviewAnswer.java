package dev.freshet.console;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;
import java.util.List;

/**
 * What the console shows first.
 *
 * @param work         null, as is {@code surroundings}, while the database does not answer
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

    /** @param revision another one when a route or file has changed */
    @JsonAnswer
    record RouteSummary(String revision, int stopped, int broken) {}

    /** With the charts' data. */
    @JsonAnswer
    record WithSeries(@JsonUnwrapped OverviewAnswer now, List<Freshness.Point> series) {}
}
