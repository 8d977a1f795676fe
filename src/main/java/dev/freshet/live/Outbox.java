package dev.freshet.live;

import java.math.BigDecimal;
import java.sql.Array;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rows of the outbox, as take-live-outbox returns them and as publish-live and hold-live take them. */
final class Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private Outbox() {}

    /**
     * A row as it was taken, with whatever its writer inserted.
     *
     * @param changedAt in seconds since the epoch
     * @param clock the database's clock, in seconds since the epoch
     */
    record TakenRow(
            String type,
            String eventEid,
            String operation,
            String detail,
            Array endpoints,
            Integer changes,
            String changedAt,
            String clock) {
        Change change() {
            try {
                return new Change(
                        type,
                        eventEid,
                        operation,
                        detail,
                        endpoints == null ? null : List.of((String[]) endpoints.getArray()),
                        changes,
                        new BigDecimal(changedAt));
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** The rows that can be read and sent. */
    static List<Change> good(List<TakenRow> rows) {
        List<Change> good = new ArrayList<>();
        for (TakenRow row : rows) {
            try {
                Change change = row.change();
                if (change.canBeSent()) {
                    good.add(change);
                }
            } catch (RuntimeException e) {
                // owners of the tables may insert anything, such as a null among the endpoints or a time of infinity
                LOG.warn("A live event cannot be read and is skipped: {}", e.toString());
            }
        }
        return good;
    }

    /** An event as publish-live takes it. */
    record Row(
            long id,
            String eid,
            String type,
            String table,
            String operation,
            String payload,
            int changes,
            BigDecimal changedAt) {}

    /** A change that is held back, as hold-live takes it. */
    record Held(
            String type,
            String eid,
            List<String> endpoints,
            int changes,
            BigDecimal changedAt,
            String operation,
            String detail) {}

    static Row row(LiveEvent event, Change change) {
        return new Row(
                event.id(),
                event.eid(),
                event.type(),
                change.table(),
                change.doing(),
                event.payload(),
                change.changes(),
                change.changedAt());
    }

    static Held held(Change change) {
        return new Held(
                change.type(),
                change.eid(),
                change.stale(),
                change.changes(),
                change.changedAt(),
                change.operation(),
                change.detail());
    }
}
