package dev.freshet.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Writes outcomes, their audit rows and what they mean for the queue in one transaction. */
public final class Settlement {
    /** How failures are spaced: back-off of one tag, probes of a target in outage. */
    public record Patience(Duration retryFor, Duration backoff, Duration backoffMax, int breakerTags, Duration probe) { }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SqlFile settle = SqlFile.of("settle");
    private final SqlFile recover = SqlFile.of("recover");
    private final Transactions transactions;
    private final Marking marking;
    private final Patience patience;

    public Settlement(Transactions transactions, Marking marking, Patience patience) {
        this.transactions = transactions;
        this.marking = marking;
        this.patience = patience;
    }

    /** @return breakers that this changed: target to whether it is open now */
    public Map<String, Boolean> settle(List<Outcome> outcomes) throws SQLException {
        return transactions.in(connection -> {
            Map<String, Boolean> breakers = write(connection, outcomes);
            marking.mark(connection, tags(outcomes));
            return breakers;
        });
    }

    private Map<String, Boolean> write(Connection connection, List<Outcome> outcomes) throws SQLException {
        Map<String, Boolean> breakers = new java.util.HashMap<>();
        for (Map<String, Object> row : settle.rows(connection, Map.of(
                "outcomes", json(outcomes),
                "retryForSeconds", seconds(patience.retryFor()),
                "backoffSeconds", seconds(patience.backoff()),
                "backoffMaxSeconds", seconds(patience.backoffMax()),
                "breakerTags", patience.breakerTags(),
                "probeSeconds", seconds(patience.probe())))) {
            breakers.put((String) row.get("name"), (Boolean) row.get("open"));
        }
        for (Map.Entry<String, Boolean> breaker : breakers.entrySet()) {
            if (!breaker.getValue()) {
                recover.update(connection, Map.of("target", breaker.getKey()));
            }
        }
        return breakers;
    }

    private static Collection<String> tags(List<Outcome> outcomes) {
        TreeSet<String> tags = new TreeSet<>();
        outcomes.stream().filter(o -> o.result() != Outcome.Result.returned && o.result() != Outcome.Result.halve).forEach(o -> tags.add(o.tag()));
        return tags;
    }

    private static String json(List<Outcome> outcomes) {
        try {
            return JSON.writeValueAsString(outcomes);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
