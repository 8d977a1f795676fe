package dev.freshet.deliver.fence;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.database.SqlFile;
import dev.freshet.testing.TestDatabase;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Fences that InterleavingTest's writers requested: what each of them committed as which version, and whether the
 * answers about it are true.
 */
public final class FencesAsked {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Map<String, Integer>> versions = new HashMap<>();
    private final Map<Connection, String> open = new HashMap<>();
    private int answered;

    public void clear() {
        versions.clear();
        open.clear();
    }

    int answered() {
        return answered;
    }

    /** Requests a fence inside a transaction, before or after its changes. */
    public void ask(Connection writer) throws SQLException {
        open.put(
                writer,
                TestDatabase.list(writer, "SELECT cache_invalidation_fence()").get(0));
    }

    public void rolledBack(Connection writer) {
        open.remove(writer);
    }

    public void committed(Connection writer, List<String> tags, Map<String, Integer> now) {
        String token = open.remove(writer);
        if (token != null) {
            Map<String, Integer> of = new HashMap<>();
            tags.forEach(tag -> of.put(tag, now.get(tag)));
            versions.put(token, of);
        }
    }

    /** The turn's second statement after a fold, as in queue.FenceNotes. */
    public static void noteFolded(Connection worker, UnaryOperator<String> text, Map<String, Object> folded)
            throws SQLException {
        if (folded.get("fenced") != null) {
            Map<String, Object> which = new HashMap<>();
            which.put("ids", Arrays.asList((Object[]) ((Array) folded.get("fenced")).getArray()));
            new SqlFile("queue/note-folded", text.apply("queue/note-folded")).update(worker, which);
        }
    }

    public static void noteHanded(Connection worker, UnaryOperator<String> text, Map<String, Object> handed)
            throws SQLException {
        if (Boolean.TRUE.equals(handed.get("fenced")) && handed.get("tags") != null) {
            Map<String, Object> which = new HashMap<>();
            which.put("tags", SqlFile.texts(handed.get("tags")));
            which.put("pastQueue", false);
            new SqlFile("queue/note-handed", text.apply("queue/note-handed")).update(worker, which);
        }
    }

    /**
     * @param cached what each target has seen, by the target's name and the tag
     * @return what is wrong, or null: a fence that is reported as fresh although some target has not seen its change
     */
    public String wrong(Connection eye, String fencesNow, List<String> targets, Map<String, Integer> cached)
            throws SQLException {
        for (Map<String, Object> row : stand(eye, fencesNow)) {
            if ((Boolean) row.get("is_outstanding")) {
                continue;
            }
            answered++;
            String token = (String) row.get("token");
            Set<String> givenUp = givenUp((String) row.get("given_up"));
            for (Map.Entry<String, Integer> change : versions.get(token).entrySet()) {
                for (String target : targets) {
                    String place = target + change.getKey();
                    if (!givenUp.contains(place) && cached.getOrDefault(place, 0) < change.getValue()) {
                        return "early: " + place + " saw " + cached.get(place) + ", and the fence of version "
                                + change.getValue() + " is out";
                    }
                }
            }
            if (givenUp.isEmpty()) {
                versions.remove(token); // for good
            }
        }
        return null;
    }

    /** At the end, when everything has arrived. */
    public String notOut(Connection eye, String fencesNow) throws SQLException {
        List<String> late = new ArrayList<>();
        for (Map<String, Object> row : stand(eye, fencesNow)) {
            if ((Boolean) row.get("is_outstanding") || row.get("given_up") != null) {
                late.add(row.toString());
            }
        }
        return late.isEmpty() ? null : "everything has arrived, and fences do not know it: " + late;
    }

    private List<Map<String, Object>> stand(Connection eye, String fencesNow) throws SQLException {
        if (versions.isEmpty()) {
            return List.of();
        }
        return new SqlFile("deliver/fences-now", fencesNow)
                .rows(eye, Map.of("tokens", List.copyOf(versions.keySet()), "listed", 100));
    }

    private static Set<String> givenUp(String json) {
        Set<String> places = new HashSet<>();
        try {
            for (JsonNode letter : JSON.readTree(json == null ? "[]" : json)) {
                places.add(letter.get("target").asText() + letter.get("tag").asText());
            }
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException(json, e);
        }
        return places;
    }
}
