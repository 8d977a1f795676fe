package dev.freshet.live;

import com.fasterxml.jackson.databind.util.RawValue;
import dev.freshet.api.Page;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was published for one event, as far back as FRESHET_LIVE_RETENTION. */
public final class History {
    /**
     * @param known whether the id is one to go on from: false when what came after it is not kept any more, or nobody
     * ever gave it out
     * @param last  newest id of all events, in the same snapshot
     */
    record Stretch(boolean known, long last, List<LiveEvent> events) {}

    private static final int ROWS = 2_000;
    private static final int BATCHES = 1_000;

    private final SqlFile replay = SqlFile.of("live/replay-live");
    private final SqlFile forget = SqlFile.of("live/forget-live");
    private final Transactions transactions;
    private final Duration retention;

    public History(Transactions transactions, Duration retention) {
        this.transactions = transactions;
        this.retention = retention;
    }

    Stretch after(String eid, long id, long upTo, int limit) throws SQLException {
        List<Map<String, Object>> rows =
                transactions.in(c -> replay.rows(c, Map.of("eid", eid, "after", id, "upTo", upTo, "limit", limit)));
        long last = (Long) rows.get(0).get("last_id");
        boolean known = id >= (Long) rows.get(0).get("kept_after") && id <= last;
        return new Stretch(
                known,
                last,
                rows.stream()
                        .filter(row -> row.get("id") != null)
                        .map(row -> new LiveEvent(
                                (Long) row.get("id"), eid, (String) row.get("type"), (String) row.get("payload"), 0))
                        .toList());
    }

    /**
     * GET /live/{eid}/history, with its parameters as they came. Without {@code after}: from the oldest that is kept.
     */
    public Map<String, Object> page(Object eid, Object after, Object limit) throws SQLException {
        int most = Page.of(limit, null).limit();
        boolean fromTheOldest = after == null || after.toString().isBlank();
        Stretch stretch = after(eid(eid), fromTheOldest ? 0 : cursor(after), Long.MAX_VALUE, most);
        boolean reset = !fromTheOldest && !stretch.known();
        List<LiveEvent> events = reset ? List.of() : stretch.events();
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("events", events.stream().map(History::entry).toList());
        page.put(
                "next",
                events.size() < most
                        ? stretch.last()
                        : events.get(events.size() - 1).id());
        page.put("reset", reset);
        return page;
    }

    private static Map<String, Object> entry(LiveEvent event) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", event.id());
        entry.put("type", event.type());
        entry.put("payload", new RawValue(event.payload()));
        return entry;
    }

    static String eid(Object given) {
        String eid = String.valueOf(given);
        if (!Change.EID.matcher(eid).matches()) {
            throw new Refused(400, "eid: must be 1 to 40 letters, digits, -, _ or .");
        }
        return eid;
    }

    private static long cursor(Object after) {
        String text = after.toString().strip();
        if (!text.matches("[0-9]{1,18}")) {
            throw new Refused(400, "after: must be the id of an event, or next of the last answer");
        }
        return Long.parseLong(text);
    }

    /** Shares the relay's lock, so in small batches. */
    public void forgetOld() throws SQLException {
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = transactions.in(c ->
                    (Integer) forget.rows(c, Map.of("retentionSeconds", retention.toMillis() / 1000.0, "limit", ROWS))
                            .get(0)
                            .get("forgotten"));
            if (rows < ROWS) {
                break;
            }
        }
    }
}
