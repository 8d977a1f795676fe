package dev.freshet.api;

import java.sql.Timestamp;
import java.util.List;
import java.util.Map;

/** Points in time as every answer writes them: ISO 8601, in UTC. */
public final class Times {
    private Times() {}

    /** @param row is returned itself, with its times replaced */
    public static Map<String, Object> readable(Map<String, Object> row) {
        row.replaceAll((name, value) ->
                value instanceof Timestamp time ? time.toInstant().toString() : value);
        return row;
    }

    public static List<Map<String, Object>> readable(List<Map<String, Object>> rows) {
        rows.forEach(Times::readable);
        return rows;
    }
}
