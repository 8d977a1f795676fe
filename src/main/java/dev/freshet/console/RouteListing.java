package dev.freshet.console;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import dev.freshet.observe.RouteCount;
import dev.freshet.run.routes.BrokenRouteFile;
import java.time.Instant;
import java.util.List;

/** The routes of this instance with their state, and the files that are not in force. */
@JsonAnswer
record RouteListing(List<ListedRoute> routes, List<BrokenFile> brokenFiles) {

    /**
     * @param stoppedAt when it was stopped by hand; null: it was not
     * @param mayNotStop the reason why it must not be stopped; null: it may be
     * @param done null if this route is not counted
     */
    @JsonAnswer
    record ListedRoute(
            String id,
            String description,
            String file,
            String from,
            String state,
            @InUtc Instant stoppedAt,
            String mayNotStop,
            @JsonUnwrapped Done done,
            Failures.Failure lastFailure) {}

    @JsonAnswer
    record Done(
            long total,
            long failed,
            long inflight,
            Double perSecond,
            long meanMs,
            @InUtc Instant lastAt) {
        static Done of(RouteCount counted, Double perSecond) {
            return new Done(
                    counted.total(),
                    counted.failed() + counted.handled(),
                    counted.inflight(),
                    perSecond,
                    counted.meanMillis(),
                    counted.lastAt());
        }
    }

    @JsonAnswer
    record BrokenFile(
            String file, Integer line, String why, @InUtc Instant since) {
        static BrokenFile of(BrokenRouteFile broken) {
            return new BrokenFile(broken.file(), broken.line(), broken.why(), broken.since());
        }
    }
}
