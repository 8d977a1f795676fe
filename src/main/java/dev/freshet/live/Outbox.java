package dev.freshet.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rows of the outbox, as take-live-outbox gives them and as publish-live and hold-live take them. */
final class Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private Outbox() {
    }

    /** What the database's clock said when they were taken, in seconds since the epoch. */
    static BigDecimal clock(List<Map<String, Object>> rows) {
        return new BigDecimal((String) rows.get(0).get("clock"));
    }

    /** Those of the rows that can be read and sent. */
    static List<Change> good(List<Map<String, Object>> rows) {
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
            return new Change((String) row.get("type"), (String) row.get("event_eid"), (String) row.get("operation"),
                    (String) row.get("detail"), endpoints == null ? null : List.of((String[]) endpoints.getArray()),
                    (Integer) row.get("changes"), new BigDecimal((String) row.get("changed_at")));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    static Map<String, Object> row(LiveEvent event, Change change) {
        Map<String, Object> row = new LinkedHashMap<>(Map.of("id", event.id(), "eid", event.eid(),
                "type", event.type(), "table", change.table(), "operation", change.doing(),
                "payload", event.payload(), "changes", change.changes()));
        row.put("changedAt", change.changedAt());
        return row;
    }

    static Map<String, Object> held(Change change) {
        Map<String, Object> held = new LinkedHashMap<>(Map.of("type", change.type(), "eid", change.eid(),
                "endpoints", change.stale(), "changes", change.changes(), "changedAt", change.changedAt()));
        held.put("operation", change.operation());
        held.put("detail", change.detail());
        return held;
    }

    static String json(Object rows) {
        try {
            return JSON.writeValueAsString(rows);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
