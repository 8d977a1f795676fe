package dev.freshet.live;

import dev.freshet.api.JsonAnswer;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** What HTTP clients can do with live events, apart from the stream and the history. */
public final class Broadcasts {
    @JsonAnswer
    record Announced(boolean success, String eventEid, List<String> endpoints) {}

    /** @param events the number of open streams for each event id */
    @JsonAnswer
    record OpenStreams(int subscribers, Map<String, Integer> events) {}

    /** @param endpoint null: everything of the event */
    private record Stale(String eid, String endpoint) {}

    private static final int LONGEST_ENDPOINT = 1_024;

    private final SqlFile invalidate = SqlFile.of("live/invalidate-live");
    private final Transactions transactions;
    private final Hub hub;

    public Broadcasts(Transactions transactions, Hub hub) {
        this.transactions = transactions;
        this.hub = hub;
    }

    /** POST /live/{eid}/invalidate. */
    public Announced invalidate(Object given, Map<String, Object> request) throws SQLException {
        String eid = History.eid(given);
        String endpoint = endpoint(request.get("endpoint"));
        transactions.in(c -> invalidate.rows(c, new Stale(eid, endpoint)));
        return new Announced(
                true,
                eid,
                endpoint != null ? List.of(endpoint) : List.of("/live/event/" + eid, "/live/event/" + eid + "/media"));
    }

    private static String endpoint(Object given) {
        if (given == null) {
            return null;
        }
        if (!(given instanceof String endpoint)
                || endpoint.isEmpty()
                || endpoint.codePointCount(0, endpoint.length()) > LONGEST_ENDPOINT) {
            throw new Refused(
                    400,
                    "endpoint: must be a text of 1 to " + LONGEST_ENDPOINT + " characters, such as /live/event/AB3028");
        }
        return endpoint;
    }

    /** GET /live/stats: the streams that are open on this instance. */
    public OpenStreams stats() {
        Map<String, Integer> watched = hub.watched();
        return new OpenStreams(
                watched.values().stream().mapToInt(Integer::intValue).sum(), watched);
    }
}
