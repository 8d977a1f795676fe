package dev.freshet.deliver.policy;

import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies of tags, as this instance has read them. They carry a number: every hand-over and claim tells which is
 * in force, and a call that begins longer after that asks again, so that what was said holds for every call that begins
 * from then on. What a tag falls under is decided as in SQL (freshet.policy_of).
 */
public final class Policies {
    /** @param pattern null, and all after it, where there are no policies */
    private record Row(
            long version, String pattern, String profile, Integer priority, Boolean atOnce, Double debounceSeconds) {
        Policy policy() {
            return new Policy(pattern, profile, priority, atOnce, debounceSeconds);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Policies.class);
    /** Who asked a moment ago need not ask again. */
    private static final long CURRENT_NANOS = Duration.ofMillis(2).toNanos();
    /** In a drain, thousands of calls begin in a second: then it is asked so often, after so many questions at will. */
    private static final long BUSY_NANOS = Duration.ofMillis(20).toNanos();

    private static final int AT_WILL = 25;

    private static final long NEVER_READ = -1;

    private record Glob(KeyPattern pattern, Policy policy) {}

    private record Known(
            long version, Map<String, Policy> exact, List<Glob> globs, boolean hasUrgent, double soonestSeconds) {
        static final Known NOTHING = new Known(NEVER_READ, Map.of(), List.of(), false, Double.MAX_VALUE);
    }

    private final SqlFile read = SqlFile.of("queue/policies");
    private final SqlFile version = SqlFile.of("queue/policies-version");
    private final Transactions transactions;
    private volatile Known known = Known.NOTHING;
    private volatile long currentAt = System.nanoTime() - CURRENT_NANOS;
    /** When all of {@link #AT_WILL} may be asked again. */
    private volatile long rested = System.nanoTime();

    public Policies(Transactions transactions) {
        this.transactions = transactions;
    }

    public Policy of(String tag) {
        Known now = known;
        Policy exact = now.exact().get(tag);
        if (exact != null) {
            return exact;
        }
        for (Glob glob : now.globs()) {
            if (glob.pattern().matches(tag)) {
                return glob.policy();
            }
        }
        return Policy.NONE;
    }

    /** Which policies are known; it grows with each change of them. */
    public long version() {
        return known.version();
    }

    /** Some tags go before those that have no policy. */
    public boolean hasUrgent() {
        return known.hasUrgent();
    }

    /** Some changes have to be seen sooner than a poll finds them. */
    public boolean hasSoonerThan(Duration poll) {
        return known.soonestSeconds() < poll.toMillis() / 1000.0;
    }

    /** A statement that was sent at this time (System.nanoTime) has seen that these are in force. */
    public void areInForce(long seen, long at) {
        if (seen == known.version() || readAnew()) {
            currentAt = Math.max(currentAt, at);
        }
    }

    /** Before a call: what was said since is known. Of many who come at once, one asks for all of them. */
    public void keepCurrent() {
        long needed = System.nanoTime() - CURRENT_NANOS;
        if (currentAt - needed > 0 || hasAskedALot()) {
            return;
        }
        synchronized (version) {
            if (currentAt - needed > 0 || hasAskedALot()) {
                return; // somebody else has asked since we came, however long that took
            }
            long now = System.nanoTime();
            rested = (rested - now > 0 ? rested : now) + BUSY_NANOS;
            try {
                areInForce(transactions.inOne(c -> version.row(c, Map.of(), Long.class)), now);
            } catch (SQLException e) {
                LOG.debug("The policies of tags could not be asked for", e);
            }
        }
    }

    private boolean hasAskedALot() {
        return rested - System.nanoTime() > (AT_WILL - 1) * BUSY_NANOS;
    }

    /** @return false: it could not be done, and what was known stays */
    private synchronized boolean readAnew() {
        try {
            known = known(transactions.inOne(c -> read.rows(c, Map.of(), Row.class)));
            return true;
        } catch (SQLException e) {
            LOG.debug("The policies of tags could not be read", e);
            return false;
        }
    }

    private static Known known(List<Row> rows) {
        Map<String, Policy> exact = new HashMap<>();
        List<Glob> globs = new ArrayList<>();
        boolean hasUrgent = false;
        double soonest = Double.MAX_VALUE;
        for (Row row : rows) {
            if (row.pattern() != null) {
                Policy policy = row.policy();
                if (row.pattern().indexOf('*') < 0) {
                    exact.put(row.pattern(), policy);
                } else {
                    globs.add(new Glob(KeyPattern.parse(row.pattern()), policy));
                }
                hasUrgent |= policy.isUrgent();
                soonest = Math.min(soonest, policy.soonestSeconds());
            }
        }
        return new Known(rows.get(0).version(), exact, globs, hasUrgent, soonest);
    }
}
