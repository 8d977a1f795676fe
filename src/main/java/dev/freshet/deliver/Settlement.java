package dev.freshet.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.source.SqlFile;
import dev.freshet.source.SqlState;
import dev.freshet.source.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes outcomes, their audit rows and what they mean for the queue in one transaction. */
public final class Settlement {
    /** How failures are spaced: back-off of one tag, probes of a target in outage. */
    public record Patience(Duration retryFor, Duration backoff, Duration backoffMax, int breakerTags, Duration probe) { }

    private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int RECOVERED_AT_ONCE = 1_000;

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

    /**
     * What the database refuses (values of a kind that it cannot keep, a constraint of an adopted table) must not hold
     * up the rest: it is looked for by halves, and written without what was refused.
     *
     * @return breakers that this changed: target to whether it is open now
     */
    public Map<String, Boolean> settle(List<Outcome> outcomes) throws SQLException {
        Map<String, Boolean> breakers = settleByHalves(outcomes);
        for (Map.Entry<String, Boolean> breaker : breakers.entrySet()) {
            if (!breaker.getValue()) {
                recover(breaker.getKey());
            }
        }
        return breakers;
    }

    private Map<String, Boolean> settleByHalves(List<Outcome> outcomes) throws SQLException {
        try {
            return transactions.in(connection -> writeAndMark(connection, outcomes));
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            if (outcomes.size() == 1) {
                return alone(outcomes, e);
            }
            int half = outcomes.size() / 2;
            Map<String, Boolean> breakers = new HashMap<>(settleByHalves(outcomes.subList(0, half)));
            breakers.putAll(settleByHalves(outcomes.subList(half, outcomes.size())));
            return breakers;
        }
    }

    /**
     * First without its audit row, then without its error and without marking: what is owed depends on none of them.
     */
    private Map<String, Boolean> alone(List<Outcome> outcome, SQLException why) throws SQLException {
        LOG.warn("What became of {} at {} could not be written as it is: {}", outcome.get(0).tag(), outcome.get(0).target(),
                why.getMessage());
        try {
            return transactions.audited(c -> writeAndMark(c, outcome));
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            return transactions.audited(c -> write(c, List.of(outcome.get(0).withoutError())));
        }
    }

    private Map<String, Boolean> writeAndMark(Connection connection, List<Outcome> outcomes) throws SQLException {
        Map<String, Boolean> breakers = write(connection, outcomes);
        marking.mark(connection, tags(outcomes));
        return breakers;
    }

    private void recover(String target) throws SQLException {
        int rows;
        do {
            rows = transactions.in(c -> recover.update(c, Map.of("target", target, "limit", RECOVERED_AT_ONCE)));
        } while (rows == RECOVERED_AT_ONCE);
    }

    private Map<String, Boolean> write(Connection connection, List<Outcome> outcomes) throws SQLException {
        Map<String, Boolean> breakers = new HashMap<>();
        for (Map<String, Object> row : settle.rows(connection, Map.of(
                "outcomes", json(outcomes),
                "retryForSeconds", seconds(patience.retryFor()),
                "backoffSeconds", seconds(patience.backoff()),
                "backoffMaxSeconds", seconds(patience.backoffMax()),
                "breakerTags", patience.breakerTags(),
                "probeSeconds", seconds(patience.probe())))) {
            breakers.put((String) row.get("name"), (Boolean) row.get("open"));
        }
        return breakers;
    }

    private static Collection<String> tags(List<Outcome> outcomes) {
        TreeSet<String> tags = new TreeSet<>();
        outcomes.stream().filter(o -> o.result() != Outcome.Result.returned && o.result() != Outcome.Result.halve)
                .forEach(o -> tags.add(o.tag()));
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
