package dev.freshet.live;

import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.freshet.api.JsonAnswer;
import dev.freshet.api.Page;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/** What was published for one event, as far back as FRESHET_LIVE_RETENTION. */
public final class History {
    /**
     * @param known whether a client can continue from the id; false if later events have already been deleted, or if
     *     the id was never assigned
     * @param last newest id of all events, in the same snapshot
     */
    record Stretch(boolean known, long last, List<LiveEvent> events) {}

    /** @param id null if there is no event; the row then only says how far the relay is */
    private record ReplayRow(long lastId, long keptAfter, Long id, String type, String payload) {}

    /** @param payload JSON */
    @JsonAnswer
    record PastEvent(long id, String type, @JsonRawValue String payload) {}

    /**
     * @param next the value of {@code after} for the next request
     * @param reset events after the given id are no longer known: start again
     */
    @JsonAnswer
    record HistoryPage(List<PastEvent> events, long next, boolean reset) {}

    private record Which(String eid, long after, long upTo, int limit) {}

    private record Old(double retentionSeconds, int limit) {}

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
        Which which = new Which(eid, id, upTo, limit);
        List<ReplayRow> rows = transactions.in(c -> replay.rows(c, which, ReplayRow.class));
        long last = rows.get(0).lastId();
        boolean known = id >= rows.get(0).keptAfter() && id <= last;
        return new Stretch(
                known,
                last,
                rows.stream()
                        .filter(row -> row.id() != null)
                        .map(row -> new LiveEvent(row.id(), eid, row.type(), row.payload(), 0))
                        .toList());
    }

    /**
     * GET /live/{eid}/history, with its raw parameters. Without {@code after} it starts at the oldest event that is
     * kept.
     */
    public HistoryPage page(Object eid, Object after, Object limit) throws SQLException {
        int most = Page.of(limit, null).limit();
        boolean fromTheOldest = after == null || after.toString().isBlank();
        Stretch stretch = after(eid(eid), fromTheOldest ? 0 : cursor(after), Long.MAX_VALUE, most);
        boolean reset = !fromTheOldest && !stretch.known();
        List<LiveEvent> events = reset ? List.of() : stretch.events();
        return new HistoryPage(
                events.stream()
                        .map(event -> new PastEvent(event.id(), event.type(), event.payload()))
                        .toList(),
                events.size() < most
                        ? stretch.last()
                        : events.get(events.size() - 1).id(),
                reset);
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

    /** Works in small batches, because it shares the relay's lock. */
    public void forgetOld() throws SQLException {
        for (int batch = 0; batch < BATCHES; batch++) {
            Old old = new Old(retention.toMillis() / 1000.0, ROWS);
            int rows = transactions.in(c -> forget.row(c, old, Integer.class));
            if (rows < ROWS) {
                break;
            }
        }
    }
}
