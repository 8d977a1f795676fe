package dev.freshet.queue;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.Call;
import dev.freshet.deliver.Claims;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Marking;
import dev.freshet.deliver.policy.Policies;
import dev.freshet.run.log.LogIds;
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
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.postgresql.PGStatement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One turn at the queue: fold what has committed, then hand what is ripe over to the targets. One instance at a time;
 * each batch is a transaction of its own that asks for the turn again, so a process that dies leaves nothing half done.
 */
public final class Turn {
    /** What a turn handed over; {@code mine} is false when another instance had the turn. */
    public record Report(boolean mine, List<String> handed, int buckets, List<Long> handovers) {
        public int tags() {
            return handed.size();
        }
    }

    /** @param policies which are in force; -1: there are none */
    private record Folded(int taken, Timestamp horizon, long policies) {}

    private record Handed(
            List<String> tags,
            int buckets,
            long handover,
            long changes,
            long calls,
            List<Claims.Claimed> claimed,
            List<String> due,
            long policies,
            Long position) {}

    private static final Report NOTHING = new Report(true, List.of(), 0, List.of());
    private static final Report NOT_MINE = new Report(false, List.of(), 0, List.of());
    private static final Logger LOG = LoggerFactory.getLogger(Turn.class);
    private static final int FOLD_ROWS = 10_000;
    private static final int NEWEST_ROWS = 500;
    private static final int HAND_OVER_ROWS = 2_000;
    private static final int BATCHES = 50;
    private static final int MARK_TAGS = 1_000;
    private static final long MARK_EVERY_NANOS = Duration.ofMillis(250).toNanos();
    private static final Duration SHORT_PAUSE = Duration.ofMillis(20);
    /**
     * When the inbox fills faster than it is folded, a bucket need not wait for it to be empty: late is worse than
     * twice.
     */
    private static final Duration IMPATIENCE = Duration.ofSeconds(10);

    private final SqlFile hasWork = SqlFile.of("queue/turn-has-work");
    private final SqlFile takeTurn = SqlFile.of("queue/take-turn");
    private final SqlFile fold = SqlFile.of("queue/fold");
    private final SqlFile foldByPolicy = SqlFile.of("queue/fold-by-policy");
    private final SqlFile lockedInInbox = SqlFile.of("queue/locked-in-inbox");
    private final SqlFile oldestInInbox = SqlFile.of("queue/oldest-in-inbox");
    private final SqlFile handOver = SqlFile.of("queue/hand-over");
    private final SqlFile lockedDeliveries = SqlFile.of("queue/locked-deliveries");
    private final SqlFile oldestRipe = SqlFile.of("queue/oldest-ripe");
    private final SqlFile owePastQueue = SqlFile.of("queue/owe-past-queue");
    private final SqlFile takeMarkLater = SqlFile.of("queue/take-mark-later");
    private final FenceNotes fences = new FenceNotes();
    private final Transactions transactions;
    private final Marking marking;
    private final Lanes lanes;
    private final Consumer<List<Call>> begin;
    private final Duration bucket;
    private final Duration debounce;
    private final Coalescing coalescing = new Coalescing();
    private final Floor floor = new Floor(SqlFile.of("queue/inbox-last-id"));
    private final Labels labels;
    private boolean byPolicy;
    private volatile int lastFolded;
    private volatile boolean moreIsRipe;
    private volatile boolean expected;
    private long markedAt = System.nanoTime() - MARK_EVERY_NANOS;
    /** Up to when everything that was committed is in the queue. */
    private Timestamp horizon = new Timestamp(0);
    /** In the inbox, and their row of the queue is held by somebody else. */
    private final LockedTags locked = new LockedTags(SHORT_PAUSE, Duration.ofSeconds(1));
    /** In the queue, and what they are owed is held by somebody else. */
    private final LockedTags owedElsewhere = new LockedTags(SHORT_PAUSE, Duration.ofSeconds(1));
    /** In the queue, whose table refuses to have them marked as handed over. */
    private final LockedTags refused = new LockedTags(Duration.ofMinutes(1), Duration.ofMinutes(1));

    /** @param begin is given what was claimed, as calls to one target */
    public Turn(
            Transactions transactions,
            Marking marking,
            Lanes lanes,
            Consumer<List<Call>> begin,
            Duration bucket,
            Duration debounce) {
        this.transactions = transactions;
        this.marking = marking;
        this.lanes = lanes;
        this.begin = begin;
        this.bucket = bucket;
        this.debounce = debounce;
        this.labels = new Labels(transactions, lanes.policies(), debounce);
    }

    Policies policies() {
        return lanes.policies();
    }

    /** How many changes the last turn found. */
    int lastFolded() {
        return lastFolded;
    }

    public Coalescing coalescing() {
        return coalescing;
    }

    /**
     * Hands over as much of what is ripe as there is room for calls; the rest of it waits in the queue, where later
     * changes join it.
     */
    public synchronized Report take() throws SQLException {
        if (!expected && !hasWork()) {
            labels.keepUp();
            return NOTHING;
        }
        expected = false;
        Progress progress = new Progress();
        Step step = foldAndHandOver(progress);
        if (step == Step.FAILED) {
            Optional<Timestamp> folded = foldWhatCommitted(progress);
            if (folded.isEmpty()) {
                return NOT_MINE;
            }
            horizon = folded.get();
        }
        labels.keepUp();
        if (step != Step.DONE) {
            handOverWhatIsRipe(horizon, false, progress);
        }
        if (System.nanoTime() - markedAt > MARK_EVERY_NANOS) {
            markWhatWasLocked();
        }
        return progress.report();
    }

    /** Somebody has seen changes: the next turn need not ask whether there are any. */
    void expectWork() {
        expected = true;
    }

    private boolean hasWork() throws SQLException {
        Map<String, Long> from = Map.of("floor", floor.begin());
        long now = System.nanoTime();
        Map<String, Object> row = transactions.inOne(c -> hasWork.rows(c, from)).get(0);
        policies().areInForce((Long) row.get("policies"), now);
        return (Boolean) row.get("has_work");
    }

    /** @param force hands over what is not ripe yet, too */
    public synchronized Report takeAll(boolean force) throws SQLException {
        Progress progress = new Progress();
        Optional<Timestamp> folded = foldWhatCommitted(progress);
        if (folded.isEmpty()) {
            return NOT_MINE;
        }
        horizon = folded.get();
        handOverWhatIsRipe(force ? new Timestamp(PGStatement.DATE_POSITIVE_INFINITY) : horizon, true, progress);
        markWhatWasLocked();
        return progress.report();
    }

    /** Something ripe was left in the queue for want of room. */
    public boolean isMoreRipe() {
        return moreIsRipe;
    }

    /** There is room again: what the last turn found ripe and left, without folding what has come since. */
    public synchronized Report takeMore() throws SQLException {
        Progress progress = new Progress();
        handOverWhatIsRipe(horizon, false, progress);
        return progress.report();
    }

    private enum Step {
        DONE,
        MORE,
        FAILED
    }

    private record Both(Folded folded, Handed handed) {}

    /**
     * The usual case, in one transaction: little has committed since the last turn, nobody else holds any of it, and
     * there is room for its calls.
     */
    private Step foldAndHandOver(Progress progress) throws SQLException {
        Claims claims = lanes.claims();
        if (claims.full() || !locked.tags().isEmpty() || !aside().isEmpty()) {
            return Step.FAILED;
        }
        long candidate = transactions.in(floor::candidate);
        int rows = rows(HAND_OVER_ROWS, claims);
        try {
            Both both = transactions.in(c -> {
                if (!isMine(c)) {
                    return null;
                }
                Folded folded = fold(c, FOLD_ROWS, List.of(), null);
                boolean isAll = folded.taken() < FOLD_ROWS;
                return new Both(
                        folded,
                        isAll
                                ? handOver(c, folded.horizon(), Share.of(rows), List.of(), claims)
                                : urgentOfTheNewest(c, List.of(), claims));
            });
            if (both != null && both.handed() != null && both.folded().taken() == FOLD_ROWS) {
                begin(claims, both.handed(), progress);
                return Step.FAILED;
            }
            if (both == null || both.handed() == null) {
                return Step.FAILED;
            }
            lastFolded = both.folded().taken();
            horizon = both.folded().horizon();
            floor.raise(candidate);
            begin(claims, both.handed(), progress);
            return both.handed().buckets() < rows ? Step.DONE : Step.MORE;
        } catch (SQLException e) {
            giveWayOrThrow(e);
            return Step.FAILED;
        }
    }

    /** It is committed: calls for what was claimed begin. */
    private void begin(Claims claims, Handed handed, Progress progress) {
        policies().areInForce(handed.policies(), claims.at());
        lanes.lookAgain(handed.due());
        lanes.handedOver(claims, handed.handover(), handed.claimed())
                .forEach(calls -> begin.accept(Call.covering(handed.position(), calls)));
        handed.tags().forEach(owedElsewhere::remove);
        if (!handed.tags().isEmpty()) {
            coalescing.handedOver(handed.changes(), handed.tags().size(), handed.calls());
            progress.add(handed);
            LogIds.with(
                    Map.of("handover", Long.toString(handed.handover())),
                    () -> LOG.debug("Handover {}: {}", handed.handover(), handed.tags()));
        }
    }

    /** How many rows of each kind a hand-over takes, and of which priority at least. */
    private record Share(int byBucket, int atMoment, int lowest) {
        private static final int URGENT = 6;

        static Share of(int rows) {
            return new Share(rows, rows, 0);
        }

        static Share ofUrgent(int rows) {
            return new Share(0, rows, URGENT);
        }
    }

    private static int rows(int limit, Claims claims) {
        return claims.targets().isEmpty() ? limit : Math.min(limit, claims.mostTags());
    }

    /** @return up to when everything that was committed is in the queue; empty when it is another instance's turn */
    private Optional<Timestamp> foldWhatCommitted(Progress progress) throws SQLException {
        int limit = FOLD_ROWS;
        Folded folded = null;
        int found = 0;
        long candidate = transactions.in(floor::candidate);
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = limit;
            List<String> blocked = locked.tags();
            try {
                Claims claims = rows == FOLD_ROWS && policies().hasUrgent() ? lanes.claims() : null;
                Both both = transactions.in(c -> isMine(c) ? foldSome(c, rows, blocked, claims) : null);
                if (both == null) {
                    return Optional.empty();
                }
                folded = both.folded();
                if (both.handed() != null) {
                    begin(claims, both.handed(), progress);
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
                if (folded.policies() > policies().version()) {
                    policies().keepCurrent();
                }
            } catch (SQLException e) {
                boolean isLocked = giveWayOrThrow(e);
                List<String> held = isLocked ? transactions.in(c -> heldByOthers(c, rows)) : List.of();
                held.forEach(locked::add);
                if (held.isEmpty() && rows > 1) {
                    limit = Math.max(1, rows / 4);
                } else {
                    if (held.isEmpty()) {
                        Optional<String> oldest = transactions.in(this::oldestUnlocked);
                        if (isLocked) {
                            oldest.ifPresent(locked::add);
                        } else if (oldest.isPresent() && !owePastTheQueue(oldest.get(), e)) {
                            return Optional.empty();
                        }
                    }
                    limit = FOLD_ROWS;
                }
            }
        }
        return folded == null
                ? Optional.empty()
                : Optional.of(Timestamp.from(folded.horizon().toInstant().minus(IMPATIENCE)));
    }

    private Both foldSome(Connection connection, int rows, List<String> blocked, Claims claims) throws SQLException {
        Folded folded = fold(connection, rows, blocked, null);
        boolean isAll = folded.taken() < rows;
        return new Both(folded, isAll ? null : urgentOfTheNewest(connection, blocked, claims));
    }

    /**
     * A fold that takes its time lets through what goes before all others, if that is among what came last: in the
     * fold's own transaction, for the next may be another instance's. Changes of the same tags that are still in the
     * inbox make a second call.
     */
    private Handed urgentOfTheNewest(Connection connection, List<String> blocked, Claims claims) throws SQLException {
        if (claims == null || !policies().hasUrgent() || claims.mostUrgentTags() == 0) {
            return null;
        }
        Folded newest = fold(connection, NEWEST_ROWS, blocked, null, true);
        Share share = Share.ofUrgent(Math.min(HAND_OVER_ROWS, claims.mostUrgentTags()));
        return handOver(connection, newest.horizon(), share, aside(), claims);
    }

    private void foldWhatWasLocked() throws SQLException {
        for (String tag : locked.toTryAgain()) {
            try {
                if (transactions.in(c -> isMine(c) ? fold(c, FOLD_ROWS, List.of(), tag) : null) != null) {
                    locked.remove(tag);
                }
            } catch (SQLException e) {
                if (giveWayOrThrow(e)) {
                    locked.add(tag);
                } else {
                    locked.remove(tag); // the next fold meets it and knows what to do
                }
            }
        }
    }

    /** @param all without regard to whether there is room for its calls */
    private void handOverWhatIsRipe(Timestamp horizon, boolean all, Progress progress) throws SQLException {
        int limit = HAND_OVER_ROWS;
        for (int batch = 0; batch < BATCHES; batch++) {
            Claims claims = lanes.claims();
            moreIsRipe = claims.full();
            boolean onlyUrgent = claims.full() && !all;
            if (onlyUrgent && claims.mostUrgentTags() == 0) {
                return;
            }
            int rows = all ? limit : Math.min(limit, onlyUrgent ? claims.mostUrgentTags() : rows(limit, claims));
            Share share = onlyUrgent ? Share.ofUrgent(rows) : Share.of(rows);
            List<String> aside = aside();
            try {
                Handed handed =
                        transactions.audited(c -> isMine(c) ? handOver(c, horizon, share, aside, claims) : null);
                if (handed == null) {
                    return;
                }
                begin(claims, handed, progress);
                boolean isAll =
                        handed.buckets() < rows && owedElsewhere.firstPause().isZero();
                if (isAll || handed.tags().isEmpty() && !soonFree()) {
                    return;
                }
                limit = HAND_OVER_ROWS;
            } catch (SQLException e) {
                boolean isLocked = giveWayOrThrow(e);
                List<String> held = isLocked ? transactions.in(c -> owedElsewhere(c, horizon, rows)) : List.of();
                held.forEach(owedElsewhere::add);
                if (held.isEmpty() && rows > 1) {
                    limit = Math.max(1, rows / 4);
                } else {
                    if (held.isEmpty() && !putOldestAside(horizon, isLocked, e)) {
                        return;
                    }
                    limit = HAND_OVER_ROWS;
                }
            }
        }
    }

    /** What a turn has handed over so far. */
    private static final class Progress {
        private final Set<String> tags = new LinkedHashSet<>();
        private final List<Long> handovers = new ArrayList<>();
        private int buckets;

        void add(Handed handed) {
            tags.addAll(handed.tags());
            buckets += handed.buckets();
            handovers.add(handed.handover());
        }

        Report report() {
            return new Report(true, List.copyOf(tags), buckets, handovers);
        }
    }

    private List<String> aside() {
        List<String> aside = new ArrayList<>(owedElsewhere.pausing());
        aside.addAll(refused.pausing());
        return aside;
    }

    /**
     * Whoever holds what a tag is owed is mostly done in a moment: that is waited for once all others have been handed
     * over.
     */
    private boolean soonFree() {
        Duration pause = owedElsewhere.firstPause();
        if (pause.isZero() || pause.compareTo(SHORT_PAUSE) > 0) {
            return false;
        }
        LockSupport.parkNanos(pause.toNanos());
        return true;
    }

    /** @return false when it is another instance's turn by now, or there is no such tag any more */
    private boolean putOldestAside(Timestamp horizon, boolean isLocked, SQLException why) throws SQLException {
        List<String> aside = aside();
        Optional<String> oldest = transactions.in(c -> tags(oldestRipe, c, ripe(horizon, aside))).stream()
                .findFirst();
        if (oldest.isEmpty()) {
            return false;
        }
        if (isLocked) {
            owedElsewhere.add(oldest.get());
            return true;
        }
        refused.add(oldest.get());
        return owePastTheQueue(oldest.get(), why);
    }

    /** The queue's table refuses this tag for good: what is owed does not depend on it. */
    private boolean owePastTheQueue(String tag, SQLException why) throws SQLException {
        LOG.warn(
                "The table cache_invalidation_queue refuses the tag {}: {}. It is delivered all the same, without a"
                        + " row there",
                tag,
                why.getMessage().lines().findFirst().orElse(""));
        return transactions.in(c -> {
            if (!isMine(c) || owePastQueue.update(c, Map.of("tag", tag)) == 0) {
                return false;
            }
            fences.owedPastTheQueue(c, tag);
            return true;
        });
    }

    private void markWhatWasLocked() throws SQLException {
        markedAt = System.nanoTime();
        try {
            transactions.in(c -> {
                marking.mark(c, takeMarkLater(c, MARK_TAGS));
                return null;
            });
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            markOneByOne();
        }
    }

    /** A row that the queue's table refuses to have marked stays as it is; the others do not wait for it. */
    private void markOneByOne() throws SQLException {
        boolean more = true;
        for (int i = 0; i < MARK_TAGS && more; i++) {
            try {
                more = transactions.in(c -> {
                    List<String> tag = takeMarkLater(c, 1);
                    marking.mark(c, tag);
                    return !tag.isEmpty();
                });
            } catch (SQLException e) {
                if (!SqlState.isRefused(e)) {
                    throw e;
                }
                List<String> skipped = transactions.in(c -> takeMarkLater(c, 1));
                LOG.warn(
                        "The table cache_invalidation_queue refuses to have {} marked as processed: {}",
                        skipped,
                        e.getMessage());
            }
        }
    }

    private List<String> takeMarkLater(Connection connection, int limit) throws SQLException {
        return tags(takeMarkLater, connection, Map.of("limit", limit)).stream()
                .distinct()
                .toList();
    }

    Floor floor() {
        return floor;
    }

    private boolean isMine(Connection connection) throws SQLException {
        return (Boolean) takeTurn.rows(connection, Map.of()).get(0).get("mine");
    }

    private Folded fold(Connection connection, int limit, List<String> blocked, String only) throws SQLException {
        return fold(connection, limit, blocked, only, false);
    }

    /** @param newest what came last, where there are policies */
    private Folded fold(Connection connection, int limit, List<String> blocked, String only, boolean newest)
            throws SQLException {
        Map<String, Object> which = new HashMap<>();
        which.put("bucketSeconds", bucket.toMillis() / 1000.0);
        which.put("debounceSeconds", debounce.toMillis() / 1000.0);
        which.put("floor", floor.id());
        which.put("blocked", blocked);
        which.put("only", only);
        which.put("limit", limit);
        which.put("newest", newest);
        Map<String, Object> row = null;
        if (!byPolicy) {
            row = fold.rows(connection, which).get(0);
            byPolicy = (Boolean) row.get("has_policies");
        }
        if (byPolicy) {
            row = foldByPolicy.rows(connection, which).get(0);
            byPolicy = (Boolean) row.get("has_policies");
        }
        fences.folded(connection, row.get("fenced"));
        return new Folded(
                (Integer) row.get("taken"), (Timestamp) row.get("horizon"), (Long) row.getOrDefault("policies", -1L));
    }

    private Handed handOver(Connection connection, Timestamp horizon, Share share, List<String> aside, Claims claims)
            throws SQLException {
        Map<String, Object> which = ripe(horizon, aside);
        which.put("limit", share.byBucket());
        which.put("momentLimit", share.atMoment());
        which.put("lowest", share.lowest());
        which.put("claims", Json.text(claims.targets()));
        which.put("leaseSeconds", claims.leaseSeconds());
        which.put("hasReplicas", claims.hasReplicas());
        Map<String, Object> row = handOver.rows(connection, which).get(0);
        fences.handedOver(connection, row);
        List<String> targets = SqlFile.texts(row.get("claimed_targets"));
        List<String> tags = SqlFile.texts(row.get("claimed_tags"));
        Object[] ids = targets.isEmpty() ? new Object[0] : (Object[]) ((Array) row.get("claimed_ids")).getArray();
        Object[] ages = targets.isEmpty() ? new Object[0] : (Object[]) ((Array) row.get("claimed_ages")).getArray();
        List<Claims.Claimed> claimed = new ArrayList<>(targets.size());
        for (int i = 0; i < targets.size(); i++) {
            claimed.add(new Claims.Claimed(targets.get(i), tags.get(i), (Long) ids[i], (Double) ages[i]));
        }
        return new Handed(
                SqlFile.texts(row.get("tags")),
                (Integer) row.get("buckets"),
                (Long) row.get("handover"),
                row.get("changes") == null ? 0 : (Long) row.get("changes"),
                (Long) row.get("calls"),
                claimed,
                SqlFile.texts(row.get("due")),
                (Long) row.get("policies"),
                (Long) row.get("position"));
    }

    private List<String> owedElsewhere(Connection connection, Timestamp horizon, int limit) throws SQLException {
        Map<String, Object> which = ripe(horizon, aside());
        which.put("limit", limit);
        return tags(lockedDeliveries, connection, which);
    }

    private Map<String, Object> ripe(Timestamp horizon, List<String> aside) {
        return new HashMap<>(
                Map.of("horizon", horizon, "debounceSeconds", debounce.toMillis() / 1000.0, "aside", aside));
    }

    private static List<String> tags(SqlFile statement, Connection connection, Map<String, ?> which)
            throws SQLException {
        return statement.rows(connection, which).stream()
                .map(row -> (String) row.get("tag"))
                .toList();
    }

    private List<String> heldByOthers(Connection connection, int limit) throws SQLException {
        return tags(
                lockedInInbox,
                connection,
                Map.of(
                        "bucketSeconds",
                        bucket.toMillis() / 1000.0,
                        "floor",
                        floor.id(),
                        "blocked",
                        locked.tags(),
                        "limit",
                        limit));
    }

    private Optional<String> oldestUnlocked(Connection connection) throws SQLException {
        return oldestInInbox.rows(connection, Map.of("floor", floor.id(), "blocked", locked.tags())).stream()
                .map(row -> (String) row.get("tag"))
                .filter(Objects::nonNull)
                .findFirst();
    }

    /**
     * Somebody else's lock is no failure: Freshet is always the one who gives way. Nor is a row that the users' table
     * refuses: all others go on without it.
     *
     * @return true for a lock, false for a refusal
     */
    private static boolean giveWayOrThrow(SQLException e) throws SQLException {
        if (!SqlState.isLocked(e) && !SqlState.isRefused(e)) {
            throw e;
        }
        return SqlState.isLocked(e);
    }
}
