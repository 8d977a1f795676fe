package dev.freshet.observe;

import dev.freshet.api.JsonAnswer;

/** The queue in numbers, as GET /api/queue returns them. */
@JsonAnswer
public record QueueState(
        long pendingTags, long pendingRows, double oldestSeconds, long inFlight, long retrying, long deadLetters) {}
