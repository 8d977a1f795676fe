package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;

/**
 * A target with its state and what it is owed.
 *
 * @param missingSince since when DNS no longer names its address
 * @param goesAfter the target that is told of each tag first
 * @param openedAt since when it is only probed
 * @param servedAt when an instance last reported that it serves the target; {@code unserved} if that is long ago
 */
@JsonAnswer
record TargetState(
        String name,
        String copyOf,
        String place,
        @InUtc Instant missingSince,
        boolean takesQueue,
        int batch,
        String goesAfter,
        @InUtc Instant openedAt,
        @InUtc Instant openUntil,
        @InUtc Instant servedAt,
        boolean unserved,
        long owed,
        long retrying,
        long inFlight,
        @InUtc Instant oldestAt,
        @InUtc Instant failingSince,
        String lastError) {}
