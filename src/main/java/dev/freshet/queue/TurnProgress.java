package dev.freshet.queue;

import dev.freshet.deliver.Call;
import dev.freshet.deliver.Claims;
import dev.freshet.deliver.Lanes;
import dev.freshet.run.log.LogIds;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects what one turn has handed over so far. Deliveries that it claimed become calls as soon as the claim is
 * committed.
 */
final class TurnProgress {
    private static final Logger LOG = LoggerFactory.getLogger(Turn.class);

    private final Lanes lanes;
    private final Consumer<List<Call>> begin;
    private final Coalescing coalescing;
    private final Set<String> tags = new LinkedHashSet<>();
    private final List<Long> handovers = new ArrayList<>();
    private int buckets;
    private boolean mine = true;

    /** @param begin receives claimed deliveries, as calls to one target */
    TurnProgress(Lanes lanes, Consumer<List<Call>> begin, Coalescing coalescing) {
        this.lanes = lanes;
        this.begin = begin;
        this.coalescing = coalescing;
    }

    /** Call this after the commit: calls begin for what was claimed. */
    void committed(Claims claims, HandOver.Handed handed) {
        lanes.policies().areInForce(handed.policies(), claims.at());
        lanes.lookAgain(handed.due());
        lanes.handedOver(claims, handed.handover(), handed.claimed())
                .forEach(calls -> begin.accept(Call.covering(handed.position(), calls)));
        if (handed.tags().isEmpty()) {
            return;
        }
        coalescing.handedOver(
                handed.changes() == null ? 0 : handed.changes(), handed.tags().size(), handed.calls());
        tags.addAll(handed.tags());
        buckets += handed.buckets();
        handovers.add(handed.handover());
        LogIds.with(
                Map.of("handover", Long.toString(handed.handover())),
                () -> LOG.debug("Handover {}: {}", handed.handover(), handed.tags()));
    }

    /** Another instance got the turn before everything was done. */
    void anotherHasTheTurn() {
        mine = false;
    }

    TurnReport report() {
        return new TurnReport(mine, List.copyOf(tags), buckets, handovers);
    }
}
