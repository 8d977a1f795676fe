package dev.freshet.live;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.live.Outbox.TakenRow;
import dev.freshet.observe.LiveMeters;
import dev.freshet.queue.Floor;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Assigns committed events their published order and sends their notifications, in one transaction and on one instance
 * at a time. An instance that dies halfway has done nothing.
 */
public final class Relay {
    private record Taken(boolean mine, int rows, long from, List<LiveEvent> published) {
        static Taken nothing(boolean mine) {
            return new Taken(mine, 0, 0, List.of());
        }
    }

    private record Next(long floor, int limit) {}

    /** @param events as JSON */
    private record Publishing(String events, long last, String instance) {}

    private record RecentlySent(String eventEid, int sent) {}

    /** Is told what was published, in order, once it is committed. */
    interface Follower {
        /** @param from the id before the first of these events */
        void follow(long from, List<LiveEvent> events);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    private static final int NANO_DIGITS = 9;
    private static final int ROWS = 2_000;
    /**
     * If a batch contains a row that cannot be sent, an eighth of the batch is tried next, and so on down to that row.
     */
    private static final int FEWER = 8;

    private final SqlFile takeTurn = SqlFile.of("live/take-live-turn");
    private final SqlFile take = SqlFile.of("live/take-live-outbox");
    private final SqlFile countRecent = SqlFile.of("live/count-recent-live");
    private final SqlFile publish = SqlFile.of("live/publish-live");
    private final SqlFile hold = SqlFile.of("live/hold-live");
    private final SqlFile countSkipped = SqlFile.of("live/count-skipped-live");
    private final String instance = UUID.randomUUID().toString();
    private final Floor floor = new Floor(SqlFile.of("live/live-outbox-last-id"));
    private final Transactions transactions;
    private final LiveMeters meters;
    private final Limit limit;
    private volatile Follower follower = (from, events) -> {};

    public Relay(Transactions transactions, LiveMeters meters, int limitPerSecond) {
        this.transactions = transactions;
        this.meters = meters;
        this.limit = new Limit(limitPerSecond);
    }

    Floor floor() {
        return floor;
    }

    /** A hint names the instance that sent it. */
    public boolean isAnothers(String hint) {
        return !instance.equals(hint);
    }

    /** Registers a follower, so that this instance's streams need not read what it has just written. */
    void tells(Follower to) {
        follower = to;
    }

    /** @return the number of events that this call published; more may be waiting */
    public synchronized int take() throws SQLException {
        for (int rows = ROWS; ; rows /= FEWER) {
            try {
                return take(Math.max(1, rows), false);
            } catch (SQLException e) {
                if (!SqlState.isRefused(e)) {
                    throw e;
                }
                if (rows <= 1) {
                    return skipOne(e);
                }
            }
        }
    }

    /** One event that cannot be sent, for whatever reason, must not stop all others. */
    private int skipOne(SQLException why) throws SQLException {
        LOG.warn(
                "A live event could not be sent and is skipped: {}",
                String.valueOf(why.getMessage()).lines().findFirst().orElse(""));
        return take(1, true);
    }

    private int take(int rows, boolean skip) throws SQLException {
        long[] candidate = new long[1];
        Taken taken = transactions.in(connection -> {
            Optional<Long> turn = takeTurn.firstRow(connection, Map.of(), Long.class);
            if (turn.isEmpty()) {
                return Taken.nothing(false);
            }
            candidate[0] = floor.candidate(connection);
            List<TakenRow> found = take.rows(connection, new Next(floor.id(), rows), TakenRow.class);
            if (found.isEmpty()) {
                return Taken.nothing(true);
            }
            List<Change> good = skip ? List.of() : Outbox.good(found);
            if (good.size() < found.size()) {
                countSkipped.update(connection, Map.of("skipped", found.size() - good.size()));
            }
            long from = turn.get();
            List<LiveEvent> published = publish(connection, from, good, clock(found.get(0)));
            return new Taken(true, found.size(), from, published);
        });
        if (taken.mine() && taken.rows() < rows) {
            floor.raise(candidate[0]);
        }
        if (!taken.published().isEmpty()) {
            follower.follow(taken.from(), taken.published());
        }
        meters.published(taken.published().size());
        return taken.published().size();
    }

    /** The reading of the database's clock at the moment when this JVM's nanoTime was 0. */
    private static BigDecimal clock(TakenRow row) {
        return new BigDecimal(row.clock()).subtract(BigDecimal.valueOf(System.nanoTime(), NANO_DIGITS));
    }

    private List<LiveEvent> publish(Connection connection, long last, List<Change> good, BigDecimal clock)
            throws SQLException {
        Limit.Split split = limit.of(good, limit.isOn() ? recent(connection, good) : Map.of());
        if (!split.held().isEmpty()) {
            hold.update(
                    connection,
                    Map.of(
                            "held",
                            Json.text(split.held().stream().map(Outbox::held).toList())));
        }
        List<Outbox.Row> rows = new ArrayList<>();
        List<LiveEvent> events = new ArrayList<>();
        for (Change change : split.send()) {
            long changed = change.changedAt()
                    .subtract(clock)
                    .movePointRight(NANO_DIGITS)
                    .longValue();
            LiveEvent event =
                    new LiveEvent(last + events.size() + 1, change.eid(), change.type(), change.payload(), changed);
            events.add(event);
            rows.add(Outbox.row(event, change));
        }
        if (!events.isEmpty()) {
            publish.rows(connection, new Publishing(Json.text(rows), last + events.size(), instance));
        }
        return events;
    }

    private Map<String, Integer> recent(Connection connection, List<Change> changes) throws SQLException {
        Map<String, Integer> recent = new HashMap<>();
        countRecent
                .rows(
                        connection,
                        Map.of(
                                "eids",
                                changes.stream().map(Change::eid).distinct().toList()),
                        RecentlySent.class)
                .forEach(row -> recent.put(row.eventEid(), row.sent()));
        return recent;
    }
}
