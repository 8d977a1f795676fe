package dev.freshet.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Body;

/**
 * What the demo's page reads and changes: plain statements on plain tables, as an application would run them. No cache
 * is told here.
 */
public final class DemoTables {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> AUCTION = List.of("events", "art", "votes", "bids", "art_media");

    /** A statement, and the tables that it uses. */
    private record Deed(SqlFile statement, List<String> tables, boolean onAPainting) {}

    private record Painting(int round, int easel) {}

    private static final Map<String, Deed> DEEDS = Map.of(
            "vote", new Deed(SqlFile.of("demo/vote"), AUCTION, true),
            "bid", new Deed(SqlFile.of("demo/bid"), AUCTION, true),
            "photo", new Deed(SqlFile.of("demo/photo"), AUCTION, true),
            "status", new Deed(SqlFile.of("demo/status"), AUCTION, true),
            "course", new Deed(SqlFile.of("demo/course"), List.of("courses"), false),
            "match", new Deed(SqlFile.of("demo/match"), List.of("players", "matches", "match_players"), false));

    private final SqlFile areOurs = SqlFile.of("demo/are-ours");
    private final SqlFile event = SqlFile.of("demo/event");
    private final SqlFile bids = SqlFile.of("demo/bids");
    private final SqlFile media = SqlFile.of("demo/media");
    private final Transactions transactions;

    public DemoTables(Transactions transactions) {
        this.transactions = transactions;
    }

    /** POST /demo/actions/{action}: returns what was done, and the row that the statement returned. */
    public Map<String, Object> act(String action, Map<String, Object> body) throws SQLException {
        Deed deed = DEEDS.get(action);
        if (deed == null) {
            throw new Refused(
                    404,
                    "action: must be one of "
                            + String.join(", ", DEEDS.keySet().stream().sorted().toList()));
        }
        Painting painting = deed.onAPainting() ? new Painting(number(body, "round"), number(body, "easel")) : null;
        List<Map<String, Object>> rows = transactions.in(connection -> {
            checkThatTheyAreOurs(connection, deed.tables());
            return painting == null
                    ? deed.statement().rows(connection, Map.of())
                    : deed.statement().rows(connection, painting);
        });
        if (rows.isEmpty()) {
            throw new Refused(404, "there is no such painting or course");
        }
        Map<String, Object> answer = new LinkedHashMap<>(Map.of("done", action));
        answer.putAll(rows.get(0));
        return answer;
    }

    /** The job that an application requests when a match has ended. */
    public Map<String, Object> jobAfterMatch(@Body Map<String, Object> match) {
        return Map.of(
                "triggeredBy", "post-match", "requestId", "demo-match-" + match.get("id"), "matchId", match.get("id"));
    }

    public JsonNode event(String eid) throws SQLException {
        return read(event, Map.of("eid", eid));
    }

    public JsonNode media(String eid) throws SQLException {
        return read(media, Map.of("eid", eid));
    }

    /** @param place EID-ROUND-EASEL, as in the endpoints of bids */
    public JsonNode bids(String place) throws SQLException {
        return read(bids, Map.of("place", place));
    }

    private JsonNode read(SqlFile statement, Map<String, ?> values) throws SQLException {
        Optional<String> content = transactions.in(connection -> {
            checkThatTheyAreOurs(connection, AUCTION);
            return statement.firstRow(connection, values, String.class);
        });
        return json(content.orElseThrow(() -> new Refused(404, "there is no such event or painting")));
    }

    /** A table of the same name that existed before belongs to someone else, and the demo must not touch it. */
    void checkThatTheyAreOurs(Connection connection, List<String> tables) throws SQLException {
        if (!areOurs.row(connection, Map.of("tables", tables), Boolean.class)) {
            throw new Refused(
                    409,
                    "the demo has no tables " + String.join(", ", tables)
                            + " here: they are not there, or somebody else's");
        }
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int number(Map<String, Object> body, String field) {
        if (body.get(field) instanceof Integer number) {
            return number;
        }
        throw new Refused(400, field + ": must be a whole number");
    }
}
