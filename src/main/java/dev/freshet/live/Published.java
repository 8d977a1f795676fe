package dev.freshet.live;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** This instance's place in the published order: what comes after it goes to the streams that are open here. */
public final class Published {
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

    /** What this instance has published itself; where its streams are behind that, it is read like everybody's. */
    private synchronized void follow(long from, List<LiveEvent> events) {
        if (hub.position() == from) {
            hub.publish(events);
        }
    }

    /** To be called once, before the first stream is opened: they start from now. */
    public void begin() throws SQLException {
        hub.begin(last(look()));
    }

    /** Cheap: is there anything to relay or to read? */
    public boolean isBehind() throws SQLException {
        Map<String, Object> now = look();
        return (Boolean) now.get("waiting") || last(now) != hub.position();
    }

    public synchronized void read() throws SQLException {
        Map<String, Object> now = look();
        if ((Long) now.get("kept_after") > hub.position() || last(now) < hub.position()) {
            hub.startAnew(last(now)); // away for longer than the history is kept, or the database is an older one
        }
        for (long last = last(now); hub.position() < last; ) {
            List<LiveEvent> next = after(hub.position());
            if (next.isEmpty()) {
                hub.startAnew(last); // somebody has deleted from freshet.live_event by hand
            } else {
                hub.publish(next);
            }
        }
    }

    private Map<String, Object> look() throws SQLException {
        return transactions.inOne(
                c -> state.rows(c, Map.of("floor", relay.floor().id())).get(0));
    }

    private static long last(Map<String, Object> state) {
        return (Long) state.get("last_id");
    }

    private List<LiveEvent> after(long id) throws SQLException {
        List<Map<String, Object>> rows = transactions.inOne(c -> read.rows(c, Map.of("after", id, "limit", ROWS)));
        long now = System.nanoTime();
        return rows.stream()
                .map(row -> new LiveEvent(
                        (Long) row.get("id"),
                        (String) row.get("event_eid"),
                        (String) row.get("type"),
                        (String) row.get("payload"),
                        now - (long) ((Double) row.get("age") * 1e9)))
                .toList();
    }
}
