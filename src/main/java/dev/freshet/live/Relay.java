package dev.freshet.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.observe.LiveMeters;
import dev.freshet.queue.Floor;
import dev.freshet.source.SqlFile;
import dev.freshet.source.SqlState;
import dev.freshet.source.Transactions;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives what has committed its published order, and sends the notifications with it: one transaction, one instance at a time. Whoever dies
 * in the middle has done nothing.
 */
public final class Relay {
    private record Taken(boolean mine, int rows, int published) { }

    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROWS = 2_000;
    /** Where so many rows hold one that cannot be sent, an eighth of them is tried, and so on down to that one. */
    private static final int FEWER = 8;

    private final SqlFile takeTurn = SqlFile.of("take-live-turn");
    private final SqlFile take = SqlFile.of("take-live-outbox");
    private final SqlFile countRecent = SqlFile.of("count-recent-live");
    private final SqlFile publish = SqlFile.of("publish-live");
    private final SqlFile hold = SqlFile.of("hold-live");
    private final SqlFile countSkipped = SqlFile.of("count-skipped-live");
    private final Floor floor = new Floor(SqlFile.of("live-outbox-last-id"));
    private final Transactions transactions;
    private final LiveMeters meters;
    private final Limit limit;

    public Relay(Transactions transactions, LiveMeters meters, int limitPerSecond) {
        this.transactions = transactions;
        this.meters = meters;
        this.limit = new Limit(limitPerSecond);
    }

    Floor floor() {
        return floor;
    }

    /** @return how many were published by this call; more may be waiting */
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
        LOG.warn("A live event could not be sent and is skipped: {}",
                String.valueOf(why.getMessage()).lines().findFirst().orElse(""));
        return take(1, true);
    }

    private int take(int rows, boolean skip) throws SQLException {
        long[] candidate = new long[1];
        Taken taken = transactions.in(connection -> {
            List<Map<String, Object>> turn = takeTurn.rows(connection, Map.of());
            if (turn.isEmpty()) {
                return new Taken(false, 0, 0);
            }
            candidate[0] = floor.candidate(connection);
            List<Map<String, Object>> found = take.rows(connection, Map.of("floor", floor.id(), "limit", rows));
            if (found.isEmpty()) {
                return new Taken(true, 0, 0);
            }
            List<Change> good = skip ? List.of() : good(found);
            if (good.size() < found.size()) {
                countSkipped.update(connection, Map.of("skipped", found.size() - good.size()));
            }
            int published = publish(connection, (Long) turn.get(0).get("last_id"), good);
            return new Taken(true, found.size(), published);
        });
        if (taken.mine() && taken.rows() < rows) {
            floor.raise(candidate[0]);
        }
        meters.published(taken.published());
        return taken.published();
    }

    private int publish(Connection connection, long last, List<Change> good) throws SQLException {
        Limit.Split split = limit.of(good, limit.isOn() ? recent(connection, good) : Map.of());
        if (!split.held().isEmpty()) {
            hold.update(connection, Map.of("held", json(split.held().stream().map(Relay::held).toList())));
        }
        List<Map<String, Object>> events = new ArrayList<>();
        for (Change change : split.send()) {
            events.add(event(last + events.size() + 1, change));
        }
        if (!events.isEmpty()) {
            publish.rows(connection, Map.of("events", json(events), "last", last + events.size()));
        }
        return events.size();
    }

    private Map<String, Integer> recent(Connection connection, List<Change> changes) throws SQLException {
        Map<String, Integer> recent = new HashMap<>();
        countRecent.rows(connection, Map.of("eids", changes.stream().map(Change::eid).distinct().toList()))
                .forEach(row -> recent.put((String) row.get("event_eid"), (Integer) row.get("sent")));
        return recent;
    }

    /** Those of the rows that can be read and sent. */
    private static List<Change> good(List<Map<String, Object>> rows) {
        List<Change> good = new ArrayList<>();
        for (Map<String, Object> row : rows) {
            try {
                Change change = change(row);
                if (change.canBeSent()) {
                    good.add(change);
                }
            } catch (RuntimeException e) {
                // the tables' owners may append what they like: a null among the endpoints, a time that never comes
                LOG.warn("A live event cannot be read and is skipped: {}", e.toString());
            }
        }
        return good;
    }

    private static Change change(Map<String, Object> row) {
        try {
            Array endpoints = (Array) row.get("endpoints");
            return new Change((String) row.get("type"), (String) row.get("event_eid"), (String) row.get("operation"), (String) row.get("detail"),
                    endpoints == null ? null : List.of((String[]) endpoints.getArray()), (Integer) row.get("changes"), new BigDecimal((String) row.get("changed_at")));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Object> event(long id, Change change) {
        Map<String, Object> event = new LinkedHashMap<>(Map.of("id", id, "eid", change.eid(), "type", change.type(), "table", change.table(),
                "operation", change.doing(), "payload", change.payload(), "changes", change.changes()));
        event.put("changedAt", change.changedAt());
        return event;
    }

    private static Map<String, Object> held(Change change) {
        Map<String, Object> held = new LinkedHashMap<>(Map.of("type", change.type(), "eid", change.eid(), "endpoints", change.stale(),
                "changes", change.changes(), "changedAt", change.changedAt()));
        held.put("operation", change.operation());
        held.put("detail", change.detail());
        return held;
    }

    private static String json(Object rows) {
        try {
            return JSON.writeValueAsString(rows);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
