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
 * The policies of tags, as this instance has read them. They have a version: every hand-over and claim reports the
 * version in force. A call that begins much later than that report asks for the version again, so a changed policy
 * applies to every call that begins afterwards. Which policy applies to a tag is decided as in SQL (freshet.policy_of).
 */
public final class Policies {
    /** @param pattern null if there are no policies, and so are all components after it */
    private record Row(
            long version, String pattern, String profile, Integer priority, Boolean atOnce, Double debounceSeconds) {
        Policy policy() {
            return new Policy(pattern, profile, priority, atOnce, debounceSeconds);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Policies.class);
    /** A version that was read this recently need not be read again. */
    private static final long CURRENT_NANOS = Duration.ofMillis(2).toNanos();
    /**
     * A drain begins thousands of calls per second. After {@link #AT_WILL} unlimited queries, the version is then read
     * only this often.
     */
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
    /** When {@link #AT_WILL} unlimited queries are available again. */
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

    /** The version of the policies that this instance knows. It grows with each change. */
    public long version() {
        return known.version();
    }

    /** Whether any policy has a priority above the default. */
    public boolean hasUrgent() {
        return known.hasUrgent();
    }

    /** Whether some changes have to be noticed sooner than a poll finds them. */
    public boolean hasSoonerThan(Duration poll) {
        return known.soonestSeconds() < poll.toMillis() / 1000.0;
    }

    /** A statement that was sent at {@code at} (System.nanoTime) has seen that version {@code seen} is in force. */
    public void areInForce(long seen, long at) {
        if (seen == known.version() || readAnew()) {
            currentAt = Math.max(currentAt, at);
        }
    }

    /**
     * Called before a call, to learn of changed policies. If many threads call this at once, one of them asks for all.
     */
    public void keepCurrent() {
        long needed = System.nanoTime() - CURRENT_NANOS;
        if (currentAt - needed > 0 || hasAskedALot()) {
            return;
        }
        synchronized (version) {
            if (currentAt - needed > 0 || hasAskedALot()) {
                return; // another thread has asked since this one arrived, however long that took
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

    /** @return false if reading failed; the known policies stay */
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
                    globs.add(new Glob(KeyPattern.glob(row.pattern()), policy));
                }
                hasUrgent |= policy.isUrgent();
                soonest = Math.min(soonest, policy.soonestSeconds());
            }
        }
        return new Known(rows.get(0).version(), exact, globs, hasUrgent, soonest);
    }
}
