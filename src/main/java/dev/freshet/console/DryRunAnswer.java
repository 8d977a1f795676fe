package dev.freshet.console;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import java.time.Instant;
import java.util.List;

/** What invalidating a tag or pattern would hit. Each list shows only the first entries, and whether there are more. */
@JsonAnswer
record DryRunAnswer(
        String asked,
        TagPattern.Kind kind,
        List<WatchHit> watches,
        List<TagPolicy> policies,
        List<WaitingTag> waiting,
        boolean waitingCapped,
        List<RecentTag> recent,
        boolean recentCapped,
        RegistryHit entries,
        List<String> tags,
        boolean tagsCapped,
        List<TargetCalls> targets) {

    @JsonAnswer
    record WatchHit(String table, String template, List<String> due, String problem) {}

    /** The policy that applies to a tag. */
    @JsonAnswer
    record TagPolicy(String tag, String pattern, String debounce, boolean atOnce, String profile, int priority) {}

    /** @param state the stage that the tag has reached */
    @JsonAnswer
    record WaitingTag(
            String tag, String state, String target, @InUtc Instant since) {}

    /** A tag that was processed, as far back as the queue keeps rows. */
    @JsonAnswer
    record RecentTag(String tag, long changes, @InUtc Instant lastInvalidatedAt) {}

    /** @param tags of all entries that were found */
    @JsonAnswer
    record RegistryHit(long count, List<EntryHit> entries, List<String> tags) {}

    @JsonAnswer
    record EntryHit(String key, List<String> tags) {}

    @JsonAnswer
    record TargetCalls(String name, int batch, boolean open, int calls) {}
}
