package dev.freshet.live;

import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is asked of live events over HTTP, beside the stream and the history. */
public final class Broadcasts {
    private static final int LONGEST_ENDPOINT = 1_024;

    private final SqlFile invalidate = SqlFile.of("live/invalidate-live");
    private final Transactions transactions;
    private final Hub hub;

    public Broadcasts(Transactions transactions, Hub hub) {
        this.transactions = transactions;
        this.hub = hub;
    }

    /** POST /live/{eid}/invalidate. */
    public Map<String, Object> invalidate(Object eid, Map<String, Object> request) throws SQLException {
        Map<String, Object> call = new HashMap<>();
        call.put("eid", History.eid(eid));
        call.put("endpoint", endpoint(request.get("endpoint")));
        transactions.in(c -> invalidate.rows(c, call));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("event_eid", call.get("eid"));
        answer.put(
                "endpoints",
                call.get("endpoint") != null
                        ? List.of(call.get("endpoint"))
                        : List.of("/live/event/" + call.get("eid"), "/live/event/" + call.get("eid") + "/media"));
        return answer;
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
    public Map<String, Object> stats() {
        Map<String, Integer> watched = hub.watched();
        Map<String, Object> stats = new LinkedHashMap<>();
        stats.put(
                "subscribers",
                watched.values().stream().mapToInt(Integer::intValue).sum());
        stats.put("events", watched);
        return stats;
    }
}
