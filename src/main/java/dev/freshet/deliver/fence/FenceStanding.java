package dev.freshet.deliver.fence;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.api.Problem;

/** How a fence stands, as it is answered; a problem if nothing can be said about it. */
record FenceStanding(int status, Object body) {
    private static final FenceStanding OPEN = new FenceStanding(202, new Outstanding(false, 1, "open"));

    /** All changes have been delivered. */
    private record Fresh(boolean fresh) {}

    /** Something was given up, and nothing more happens by itself. */
    private record GivenUp(boolean fresh, JsonNode given_up) {}

    /** @param transaction open: it has not been committed, and counts as one outstanding */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Outstanding(boolean fresh, long outstanding, String transaction) {}

    static FenceStanding fresh() {
        return new FenceStanding(200, new Fresh(true));
    }

    static FenceStanding givenUp(JsonNode letters) {
        return new FenceStanding(200, new GivenUp(false, letters));
    }

    static FenceStanding outstanding(long tags) {
        return new FenceStanding(202, new Outstanding(false, Math.max(1, tags), null));
    }

    static FenceStanding open() {
        return OPEN;
    }

    static FenceStanding unknown() {
        return of(Problem.of(
                404,
                "after: no such token; nobody gave it here, its transaction was rolled back,"
                        + " or it is more than a day old"));
    }

    static FenceStanding of(Problem problem) {
        return new FenceStanding(problem.status(), problem);
    }
}
