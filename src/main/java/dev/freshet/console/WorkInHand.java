package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import dev.freshet.observe.QueueState;
import java.time.Instant;
import java.util.List;

/** What is queried every second. */
@JsonAnswer
record WorkInHand(
        QueueState queue, List<TargetState> targets, JobCounts jobs, LetterCount deadLetters, FenceCount fences) {

    /** @param revision changes whenever a job changes */
    @JsonAnswer
    record JobCounts(
            long queued,
            long processing,
            long completed,
            long failed,
            boolean capped,
            long failedToday,
            @InUtc Instant failingSince,
            String revision) {}

    @JsonAnswer
    record LetterCount(
            long count,
            boolean capped,
            @InUtc Instant oldestAt,
            @InUtc Instant newestAt) {}

    /** Tokens whose changes have not all been delivered yet. */
    @JsonAnswer
    record FenceCount(long waiting, boolean capped, @InUtc Instant oldestAt) {}
}
