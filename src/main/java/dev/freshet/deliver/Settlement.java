package dev.freshet.deliver;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes outcomes, their audit rows and their consequences for the queue in one transaction. */
public final class Settlement {
    /** How failures are spaced: the back-off of a tag, and the probes of a target in outage. */
    public record Patience(Duration retryFor, Duration backoff, Duration backoffMax, int breakerTags, Duration probe) {}

    /** @param breakers those that have opened or closed, as JSON; null: none */
    private record Written(String breakers, List<String> lookAgain, List<String> dueAgain) {}

    private record Late(List<String> tags, List<String> targets) {}

    private record Owed(List<String> targets) {}

    private record StillHeld(List<String> tags, List<String> targets, List<String> leases) {}

    private record Recovered(String target, int limit) {}

    /** @param outcomes as JSON */
    private record Batch(
            String outcomes,
            boolean marks,
            double retryForSeconds,
            double backoffSeconds,
            double backoffMaxSeconds,
            int breakerTags,
            double probeSeconds) {}

    private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);
    private static final int RECOVERED_AT_ONCE = 1_000;

    private final SqlFile settle = SqlFile.of("deliver/settle");
    private final SqlFile oweAfter = SqlFile.of("deliver/owe-after");
    private final SqlFile handBack = SqlFile.of("deliver/hand-back");
    private final SqlFile recover = SqlFile.of("queue/recover");
    private final Transactions transactions;
    private final Marking marking;
    private final Patience patience;

    public Settlement(Transactions transactions, Marking marking, Patience patience) {
        this.transactions = transactions;
        this.marking = marking;
        this.patience = patience;
    }

    /**
     * Writes these outcomes. An outcome that the database refuses (a value that it cannot store, a constraint of an
     * adopted table) must not hold up the others: it is found by bisection, and written without the refused part.
     */
    public Settled settle(List<Outcome> outcomes) throws SQLException {
        Settled settled = Settled.NOTHING;
        for (List<Outcome> together : byLateTarget(outcomes)) {
            settled = settled.and(settleByHalves(together));
        }
        for (Map.Entry<String, Boolean> breaker : settled.breakers().entrySet()) {
            if (!breaker.getValue()) {
                recover(breaker.getKey());
            }
        }
        return settled;
    }

    /**
     * Groups late outcomes by target. Writing them locks deliveries of the targets that follow, and two settlements
     * that did so for each other's targets would deadlock.
     */
    private static Collection<List<Outcome>> byLateTarget(List<Outcome> outcomes) {
        return outcomes.stream()
                .collect(Collectors.groupingBy(
                        outcome -> Boolean.TRUE.equals(outcome.late()) ? outcome.target() : "",
                        TreeMap::new,
                        Collectors.toList()))
                .values();
    }

    private Settled settleByHalves(List<Outcome> outcomes) throws SQLException {
        try {
            return transactions.inPlannedOnce(connection -> write(connection, outcomes));
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            if (outcomes.size() == 1) {
                return alone(outcomes, e);
            }
            int half = outcomes.size() / 2;
            return settleByHalves(outcomes.subList(0, half))
                    .and(settleByHalves(outcomes.subList(half, outcomes.size())));
        }
    }

    /**
     * Writes a single outcome that was refused: first without its audit row, then without its error text and without
     * marking. What is owed depends on none of these.
     */
    private Settled alone(List<Outcome> outcome, SQLException why) throws SQLException {
        LOG.warn(
                "What became of {} at {} could not be written as it is: {}",
                outcome.get(0).tag(),
                outcome.get(0).target(),
                why.getMessage());
        try {
            return transactions.audited(c -> write(c, outcome));
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            return transactions.audited(c -> write(c, List.of(outcome.get(0).withoutError()), false));
        }
    }

    /** Makes deliveries without an outcome due again at once, instead of when their lease ends. */
    void handBack(List<Delivery> held) throws SQLException {
        if (!held.isEmpty()) {
            StillHeld what = new StillHeld(
                    held.stream().map(Delivery::tag).toList(),
                    held.stream().map(Delivery::target).toList(),
                    held.stream().map(Delivery::lease).toList());
            transactions.in(c -> handBack.update(c, what));
        }
    }

    private void recover(String target) throws SQLException {
        int rows;
        do {
            rows = transactions.in(c -> recover.update(c, new Recovered(target, RECOVERED_AT_ONCE)));
        } while (rows == RECOVERED_AT_ONCE);
    }

    private Settled write(Connection connection, List<Outcome> outcomes) throws SQLException {
        return write(connection, outcomes, true);
    }

    private Settled write(Connection connection, List<Outcome> outcomes, boolean marks) throws SQLException {
        Batch batch = new Batch(
                Json.text(outcomes),
                marks,
                seconds(patience.retryFor()),
                seconds(patience.backoff()),
                seconds(patience.backoffMax()),
                patience.breakerTags(),
                seconds(patience.probe()));
        Written written = settle.row(connection, batch, Written.class);
        marking.mark(connection, written.lookAgain());
        Set<String> dueAgain = new HashSet<>(written.dueAgain());
        dueAgain.addAll(oweAfter(connection, outcomes));
        return new Settled(
                written.breakers() == null ? Map.of() : Json.value(written.breakers(), new TypeReference<>() {}),
                dueAgain);
    }

    /** @return targets that follow a target which was told late, and that are owed these tags again */
    private List<String> oweAfter(Connection connection, List<Outcome> outcomes) throws SQLException {
        List<Outcome> late = outcomes.stream()
                .filter(outcome -> Boolean.TRUE.equals(outcome.late()))
                .toList();
        if (late.isEmpty()) {
            return List.of();
        }
        Late which = new Late(
                late.stream().map(Outcome::tag).toList(),
                late.stream().map(Outcome::target).toList());
        return oweAfter.row(connection, which, Owed.class).targets();
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
