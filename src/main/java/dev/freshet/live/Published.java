package dev.freshet.live;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** This instance's position in the published order: later events go to the streams that are open here. */
public final class Published {
    /** @param waiting whether something has committed that no instance has relayed */
    private record RelayState(long lastId, long keptAfter, boolean waiting) {}

    private record PublishedRow(long id, String eventEid, String type, String payload, double age) {
        LiveEvent event(long now) {
            return new LiveEvent(id, eventEid, type, payload, now - (long) (age * 1e9));
        }
    }

    private record Next(long after, int limit) {}

    private static final int ROWS = 1_000;

    private final SqlFile state = SqlFile.of("live/live-state");
    private final SqlFile read = SqlFile.of("live/read-live");
    private final Transactions transactions;
    private final Relay relay;
    private final Hub hub;

    public Published(Transactions transactions, Relay relay, Hub hub) {
        this.transactions = transactions;
        this.relay = relay;
        this.hub = hub;
        relay.tells(this::follow);
    }

    /**
     * Takes what this instance has published itself. If its streams are behind that point, they read it from the table
     * like everyone else's.
     */
    private synchronized void follow(long from, List<LiveEvent> events) {
        if (hub.position() == from) {
            hub.publish(events);
        }
    }

    /** Must be called once, before the first stream is opened. Streams start from this position. */
    public void begin() throws SQLException {
        hub.begin(look().lastId());
    }

    /** A cheap check whether there is anything to relay or to read. */
    public boolean isBehind() throws SQLException {
        RelayState now = look();
        return now.waiting() || now.lastId() != hub.position();
    }

    public synchronized void read() throws SQLException {
        RelayState now = look();
        if (now.keptAfter() > hub.position() || now.lastId() < hub.position()) {
            // away for longer than the history is kept, or the database was restored from an older state
            hub.startAnew(now.lastId());
        }
        for (long last = now.lastId(); hub.position() < last; ) {
            List<LiveEvent> next = after(hub.position());
            if (next.isEmpty()) {
                hub.startAnew(last); // someone has deleted rows of freshet.live_event by hand
            } else {
                hub.publish(next);
            }
        }
    }

    private RelayState look() throws SQLException {
        return transactions.inOne(
                c -> state.row(c, Map.of("floor", relay.floor().id()), RelayState.class));
    }

    private List<LiveEvent> after(long id) throws SQLException {
        List<PublishedRow> rows = transactions.inOne(c -> read.rows(c, new Next(id, ROWS), PublishedRow.class));
        long now = System.nanoTime();
        return rows.stream().map(row -> row.event(now)).toList();
    }
}
