package dev.freshet.observe;

import dev.freshet.deliver.Delivery;
import dev.freshet.deliver.Ledger;
import dev.freshet.deliver.Outcome;
import dev.freshet.deliver.Outcome.Result;
import dev.freshet.run.log.LogIds;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Logs a line on the result of each call, with the ids by which it can be found: its own id, which the target received
 * and the audit keeps, and the handovers that it covers. Those are in freshet.delivery as long as they are owed, and in
 * the turn's log line. Successes are logged at DEBUG.
 */
public final class CallLog {
    private static final Logger LOG = LoggerFactory.getLogger(CallLog.class);
    private static final int SHOWN = 5;

    public void say(List<Ledger.Entry> entries) {
        for (Ledger.Entry entry : entries) {
            Map<Result, List<Outcome>> results = entry.outcomes().stream()
                    .collect(Collectors.groupingBy(
                            Outcome::result, () -> new EnumMap<>(Result.class), Collectors.toList()));
            results.remove(Result.returned); // no call was made
            if (LOG.isDebugEnabled() || results.keySet().stream().anyMatch(result -> result != Result.delivered)) {
                say(entry, results);
            }
        }
    }

    private static void say(Ledger.Entry entry, Map<Result, List<Outcome>> results) {
        String call = entry.outcomes().get(0).call();
        String handovers = entry.call().deliveries().stream()
                .map(Delivery::handover)
                .distinct()
                .sorted()
                .map(String::valueOf)
                .collect(Collectors.joining(" "));
        LogIds.with(
                Map.of("call", call, "handover", handovers),
                () -> results.forEach((result, outcomes) -> {
                    Outcome first = outcomes.get(0);
                    Level level = result == Result.delivered ? Level.DEBUG : Level.WARN;
                    LOG.atLevel(level)
                            .log(
                                    "{}: {}{}, {} (call {}, handover {})",
                                    first.target(),
                                    first.error() == null ? "" : first.error() + " for ",
                                    tags(outcomes),
                                    result,
                                    call,
                                    handovers);
                }));
    }

    private static String tags(List<Outcome> outcomes) {
        String shown = outcomes.stream().limit(SHOWN).map(Outcome::tag).collect(Collectors.joining(", "));
        return outcomes.size() > SHOWN ? shown + " and " + (outcomes.size() - SHOWN) + " more" : shown;
    }
}
