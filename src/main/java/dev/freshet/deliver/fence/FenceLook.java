package dev.freshet.deliver.fence;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Asks the database for the state of all fences at once. */
final class FenceLook {
    /** How many dead letters are listed at most. */
    private static final int LISTED = 1_000;

    /** @param givenUp as JSON; null: nothing was given up */
    private record Committed(String token, boolean isOutstanding, String givenUp) {}

    private record State(String token, String state) {}

    private record Outstanding(String token, long outstanding) {}

    private record Asked(List<String> tokens, int listed) {}

    private final SqlFile states = SqlFile.of("deliver/fence-states");
    private final SqlFile now = SqlFile.of("deliver/fences-now");
    private final SqlFile outstanding = SqlFile.of("deliver/fences-outstanding");
    private final Transactions transactions;
    /** Tokens whose transaction is known to be committed. This need not be asked again. */
    private final Set<String> committed = new HashSet<>();

    FenceLook(Transactions transactions) {
        this.transactions = transactions;
    }

    /**
     * Returns the fences that can be answered.
     *
     * @param tokens the tokens of all that wait
     * @param ending those of them that must be answered now, whatever the answer
     */
    Map<String, FenceStanding> at(Set<String> tokens, Set<String> ending) throws SQLException {
        committed.retainAll(tokens);
        // In this order: if a transaction was over by this query and had committed, the next query sees its row.
        Map<String, String> stateOf = states(
                tokens.stream().filter(token -> !committed.contains(token)).toList());
        Map<String, FenceStanding> standings = new HashMap<>();
        Set<String> waiting = new HashSet<>();
        Asked asked = new Asked(List.copyOf(tokens), LISTED);
        for (Committed fence : transactions.in(c -> now.rows(c, asked, Committed.class))) {
            committed.add(fence.token());
            stateOf.remove(fence.token());
            if (fence.isOutstanding()) {
                waiting.add(fence.token());
            } else {
                standings.put(fence.token(), settled(fence.givenUp()));
            }
        }
        for (String token : tokens) {
            if (!standings.containsKey(token) && !waiting.contains(token)) {
                if (!"open".equals(stateOf.get(token))) {
                    standings.put(token, FenceStanding.unknown());
                } else if (ending.contains(token)) {
                    standings.put(token, FenceStanding.open());
                }
            }
        }
        waiting.retainAll(ending);
        standings.putAll(howMuchIsOutstanding(waiting));
        return standings;
    }

    private Map<String, String> states(List<String> tokens) throws SQLException {
        Map<String, String> states = new HashMap<>();
        if (!tokens.isEmpty()) {
            transactions
                    .in(c -> this.states.rows(c, Map.of("tokens", tokens), State.class))
                    .forEach(fence -> states.put(fence.token(), fence.state()));
        }
        return states;
    }

    private static FenceStanding settled(String givenUp) {
        return givenUp == null
                ? FenceStanding.fresh()
                : FenceStanding.givenUp(Json.value(givenUp, new TypeReference<JsonNode>() {}));
    }

    private Map<String, FenceStanding> howMuchIsOutstanding(Collection<String> tokens) throws SQLException {
        Map<String, FenceStanding> standings = new HashMap<>();
        if (!tokens.isEmpty()) {
            transactions
                    .in(c -> outstanding.rows(c, Map.of("tokens", List.copyOf(tokens)), Outstanding.class))
                    .forEach(fence -> standings.put(fence.token(), FenceStanding.outstanding(fence.outstanding())));
            // it expired in this moment, after its day was over
            tokens.forEach(token -> standings.putIfAbsent(token, FenceStanding.unknown()));
        }
        return standings;
    }
}
