package dev.freshet.deliver;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What became of many calls, written in one transaction; then there is room for more. */
public final class Ledger {
    /** A finished call with what is to be written of it. */
    public record Entry(Call call, List<Outcome> outcomes) { }

    /** The aggregator's strategy. */
    public static final class Gathering {
        public List<Entry> gather(List<Entry> soFar, Entry next) {
            List<Entry> entries = soFar == null ? new ArrayList<>() : soFar;
            entries.add(next);
            return entries;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);

    private final Settlement settlement;
    private final Lanes lanes;

    public Ledger(Settlement settlement, Lanes lanes) {
        this.settlement = settlement;
        this.lanes = lanes;
    }

    public void settle(List<Entry> entries) throws SQLException {
        settle(entries, settlement.settle(entries.stream().flatMap(e -> e.outcomes().stream()).toList()));
    }

    /** The database was away for too long: the leases end by themselves and the calls are made again. */
    public void giveUp(List<Entry> entries) {
        settle(entries, new HashMap<>());
    }

    private void settle(List<Entry> entries, Map<String, Boolean> breakers) {
        breakers.forEach((target, open) -> {
            if (open) {
                LOG.warn("Target {} does not answer: no calls from now on but one probe after 1, 2, 4, 8, 10, 10 … seconds", target);
            } else {
                LOG.info("Target {} answers again", target);
            }
        });
        lanes.settled(entries.stream().flatMap(e -> e.call().deliveries().stream()).toList(), breakers);
    }
}
