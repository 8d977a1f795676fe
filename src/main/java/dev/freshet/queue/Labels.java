package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.policy.Policies;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the priorities of pending work up to date. Deliveries and rows of the queue carry the priority that their tag
 * had when it was folded. After policies have changed, they get the priority now in force, one batch at a time and only
 * by the instance that has the turn: first what may be claimed, then what may be handed over.
 */
final class Labels {
    /** The version of the policies in force, and the version whose priorities all pending work carries. */
    private record State(long version, long labelled) {}

    /** How many rows a step has looked at, and the last of them. The next step starts after that row. */
    private record Labelled(int looked, String tag, String target, String bucket, String moment, Integer priority) {
        static final Labelled NOTHING = new Labelled(0, null, null, null, null, null);
    }

    /** Rows after this one; null starts at the first. The other two records work the same way. */
    private record Deliveries(String tag, String target, int limit) {}

    private record AtMoments(Integer priority, String moment, String tag, int limit) {}

    private record ByBucket(String bucket, String tag, double debounceSeconds, int limit) {}

    private interface Step {
        Labelled label(Connection connection) throws SQLException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Labels.class);
    /** Few enough that no one has to wait for the transaction. */
    private static final int ROWS = 2_000;

    private static final int BATCHES = 10;
    private final SqlFile deliveries = SqlFile.of("queue/label-deliveries");
    private final SqlFile moments = SqlFile.of("queue/label-moments");
    private final SqlFile buckets = SqlFile.of("queue/label-buckets");
    private final List<Step> steps = List.of(this::labelDeliveries, this::labelMoments, this::labelBuckets);
    private final SqlFile begin = SqlFile.of("queue/begin-labels");
    private final SqlFile end = SqlFile.of("queue/end-labels");
    private final Transactions transactions;
    private final TurnLock turnLock;
    private final Policies policies;
    private final Duration debounce;
    /** All pending work carries the priorities of this version or a later one. */
    private long labelled;

    private long labelling = -1;
    private int step;
    private Labelled after = Labelled.NOTHING;

    Labels(Transactions transactions, TurnLock turnLock, Policies policies, Duration debounce) {
        this.transactions = transactions;
        this.turnLock = turnLock;
        this.policies = policies;
        this.debounce = debounce;
    }

    /** Updates some of the priorities; the next turn continues. What cannot be updated now is delivered anyway. */
    void keepUp() throws SQLException {
        try {
            boolean mine = true;
            for (int batch = 0; batch < BATCHES && mine && policies.version() > labelled; batch++) {
                mine = transactions.in(c -> turnLock.isMine(c) && goOn(c));
            }
        } catch (SQLException e) {
            if (!SqlState.isLocked(e) && !SqlState.isRefused(e)) {
                throw e;
            }
            LOG.debug("Priorities of what is owed could not be changed", e);
        }
    }

    private boolean goOn(Connection connection) throws SQLException {
        State state = begin.row(connection, Map.of(), State.class);
        long inForce = state.version();
        if (state.labelled() >= inForce) {
            labelled = inForce; // another instance has done it
            return true;
        }
        if (labelling != inForce) {
            labelling = inForce;
            begin(0);
        }
        after = steps.get(step).label(connection);
        if (after.looked() < ROWS) {
            begin(step + 1);
        }
        if (step == steps.size()) {
            end.update(connection, Map.of("version", inForce));
            labelling = -1;
        }
        return true;
    }

    private Labelled labelDeliveries(Connection connection) throws SQLException {
        return deliveries.row(connection, new Deliveries(after.tag(), after.target(), ROWS), Labelled.class);
    }

    private Labelled labelMoments(Connection connection) throws SQLException {
        AtMoments which = new AtMoments(after.priority(), after.moment(), after.tag(), ROWS);
        return moments.row(connection, which, Labelled.class);
    }

    private Labelled labelBuckets(Connection connection) throws SQLException {
        ByBucket which = new ByBucket(after.bucket(), after.tag(), debounce.toMillis() / 1000.0, ROWS);
        return buckets.row(connection, which, Labelled.class);
    }

    private void begin(int next) {
        step = next;
        after = Labelled.NOTHING;
    }
}
