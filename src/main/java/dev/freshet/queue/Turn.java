package dev.freshet.queue;

import dev.freshet.LogIds;
import dev.freshet.deliver.Marking;
import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.postgresql.PGStatement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One turn at the queue: fold what has committed, then hand what is ripe over to the targets. One instance at a time; each batch is
 * a transaction of its own that asks for the turn again, so a process that dies leaves nothing half done.
 */
public final class Turn {
    /** What a turn handed over; {@code mine} is false when another instance had the turn. */
    public record Report(boolean mine, List<String> handed, int buckets, List<Long> handovers) {
        public int tags() {
            return handed.size();
        }
    }

    private record Folded(int taken, Timestamp horizon) { }

    private record Handed(List<String> tags, int buckets, long handover, long changes, long calls) { }

    private static final Logger LOG = LoggerFactory.getLogger(Turn.class);
    private static final int FOLD_ROWS = 10_000;
    private static final int HAND_OVER_ROWS = 2_000;
    private static final int BATCHES = 50;
    private static final int MARK_TAGS = 1_000;
    /** When the inbox fills faster than it is folded, a bucket need not wait for it to be empty: late is worse than twice. */
    private static final Duration IMPATIENCE = Duration.ofSeconds(10);

    private final SqlFile takeTurn = SqlFile.of("take-turn");
    private final SqlFile fold = SqlFile.of("fold");
    private final SqlFile lockedInInbox = SqlFile.of("locked-in-inbox");
    private final SqlFile oldestInInbox = SqlFile.of("oldest-in-inbox");
    private final SqlFile handOver = SqlFile.of("hand-over");
    private final SqlFile takeMarkLater = SqlFile.of("take-mark-later");
    private final Transactions transactions;
    private final Marking marking;
    private final Duration bucket;
    private final Duration debounce;
    private final Coalescing coalescing = new Coalescing();
    private final Floor floor = new Floor(SqlFile.of("inbox-last-id"));
    private volatile int lastFolded;
    private final LockedTags locked = new LockedTags(Duration.ofSeconds(1));

    public Turn(Transactions transactions, Marking marking, Duration bucket, Duration debounce) {
        this.transactions = transactions;
        this.marking = marking;
        this.bucket = bucket;
        this.debounce = debounce;
    }

    /** How many changes the last turn found. */
    int lastFolded() {
        return lastFolded;
    }

    public Coalescing coalescing() {
        return coalescing;
    }

    /** @param force hands over what is not ripe yet, too */
    public synchronized Report take(boolean force) throws SQLException {
        Optional<Timestamp> horizon = foldWhatCommitted();
        if (horizon.isEmpty()) {
            return new Report(false, List.of(), 0, List.of());
        }
        Report report = handOverWhatIsRipe(force ? new Timestamp(PGStatement.DATE_POSITIVE_INFINITY) : horizon.get());
        markWhatWasLocked();
        return report;
    }

    /** @return up to when everything that was committed is in the queue; empty when it is another instance's turn */
    private Optional<Timestamp> foldWhatCommitted() throws SQLException {
        int limit = FOLD_ROWS;
        Folded folded = null;
        int found = 0;
        long candidate = transactions.in(floor::candidate);
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = limit;
            List<String> blocked = locked.tags();
            try {
                folded = transactions.in(c -> isMine(c) ? fold(c, rows, blocked, null) : null);
                if (folded == null) {
                    return Optional.empty();
                }
                found += folded.taken();
                if (folded.taken() < rows) {
                    lastFolded = found;
                    if (blocked.isEmpty()) {
                        floor.raise(candidate);
                    }
                    foldWhatWasLocked();
                    return Optional.of(folded.horizon());
                }
                limit = FOLD_ROWS;
            } catch (SQLException e) {
                giveWayOrThrow(e);
                List<String> held = transactions.in(c -> heldByOthers(c, rows));
                held.forEach(locked::add);
                if (held.isEmpty() && rows > 1) {
                    limit = Math.max(1, rows / 4);
                } else {
                    if (held.isEmpty()) {
                        transactions.in(this::oldestUnlocked).ifPresent(locked::add);
                    }
                    limit = FOLD_ROWS;
                }
            }
        }
        return folded == null ? Optional.empty() : Optional.of(Timestamp.from(folded.horizon().toInstant().minus(IMPATIENCE)));
    }

    private void foldWhatWasLocked() throws SQLException {
        for (String tag : locked.toTryAgain()) {
            try {
                if (transactions.in(c -> isMine(c) ? fold(c, FOLD_ROWS, List.of(), tag) : null) != null) {
                    locked.remove(tag);
                }
            } catch (SQLException e) {
                giveWayOrThrow(e);
                locked.add(tag);
            }
        }
    }

    private Report handOverWhatIsRipe(Timestamp horizon) throws SQLException {
        Set<String> tags = new LinkedHashSet<>();
        int buckets = 0;
        List<Long> handovers = new ArrayList<>();
        int limit = HAND_OVER_ROWS;
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = limit;
            try {
                Handed handed = transactions.in(c -> isMine(c) ? handOver(c, horizon, rows) : null);
                if (handed == null || handed.tags().isEmpty()) {
                    break;
                }
                coalescing.handedOver(handed.changes(), handed.tags().size(), handed.calls());
                tags.addAll(handed.tags());
                buckets += handed.buckets();
                handovers.add(handed.handover());
                LogIds.with(Map.of("handover", Long.toString(handed.handover())), () -> LOG.debug("Handover {}: {}", handed.handover(), handed.tags()));
                limit = HAND_OVER_ROWS;
            } catch (SQLException e) {
                giveWayOrThrow(e);
                if (rows == 1) {
                    break;
                }
                limit = Math.max(1, rows / 4);
            }
        }
        return new Report(true, List.copyOf(tags), buckets, handovers);
    }

    private void markWhatWasLocked() throws SQLException {
        transactions.in(c -> {
            List<String> tags = takeMarkLater.rows(c, Map.of("limit", MARK_TAGS)).stream().map(row -> (String) row.get("tag")).distinct().toList();
            marking.mark(c, tags);
            return null;
        });
    }

    Floor floor() {
        return floor;
    }

    private boolean isMine(Connection connection) throws SQLException {
        return (Boolean) takeTurn.rows(connection, Map.of()).get(0).get("mine");
    }

    private Folded fold(Connection connection, int limit, List<String> blocked, String only) throws SQLException {
        Map<String, Object> which = new HashMap<>();
        which.put("bucketSeconds", bucket.toMillis() / 1000.0);
        which.put("floor", floor.id());
        which.put("blocked", blocked);
        which.put("only", only);
        which.put("limit", limit);
        Map<String, Object> row = fold.rows(connection, which).get(0);
        return new Folded((Integer) row.get("taken"), (Timestamp) row.get("horizon"));
    }

    private Handed handOver(Connection connection, Timestamp horizon, int limit) throws SQLException {
        Map<String, Object> row = handOver.rows(connection, Map.of(
                "horizon", horizon, "debounceSeconds", debounce.toMillis() / 1000.0, "limit", limit)).get(0);
        Array tags = (Array) row.get("tags");
        return new Handed(tags == null ? List.of() : List.of((String[]) tags.getArray()), (Integer) row.get("buckets"), (Long) row.get("handover"),
                row.get("changes") == null ? 0 : (Long) row.get("changes"), (Long) row.get("calls"));
    }

    private List<String> heldByOthers(Connection connection, int limit) throws SQLException {
        return lockedInInbox.rows(connection, Map.of("bucketSeconds", bucket.toMillis() / 1000.0, "floor", floor.id(), "blocked", locked.tags(), "limit", limit)).stream()
                .map(row -> (String) row.get("tag")).toList();
    }

    private Optional<String> oldestUnlocked(Connection connection) throws SQLException {
        return oldestInInbox.rows(connection, Map.of("floor", floor.id(), "blocked", locked.tags())).stream()
                .map(row -> (String) row.get("tag")).filter(Objects::nonNull).findFirst();
    }

    /** Somebody else's lock is no failure: Freshet is always the one who gives way. */
    private static void giveWayOrThrow(SQLException e) throws SQLException {
        boolean lockTimeout = "55P03".equals(e.getSQLState());
        boolean deadlock = "40P01".equals(e.getSQLState());
        if (!lockTimeout && !deadlock) {
            throw e;
        }
    }
}
