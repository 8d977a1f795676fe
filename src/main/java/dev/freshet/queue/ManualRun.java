package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs the queue immediately and answers when the calls have been made, as the HTTP function of the replaced worker
 * did.
 */
public final class ManualRun {
    /** What one run took on. */
    public record Begun(TurnReport report, int cleanedUp, Timestamp since) {
        public int tags() {
            return report.tags();
        }
    }

    private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private record Waiting(List<String> tags, List<Long> handovers) {}

    private record Tried(List<String> tags, Timestamp since) {}

    private record Failure(String tag, String target, String lastError) {}

    private static final SqlFile DATABASE_TIME = new SqlFile("database-time", "SELECT now()");

    private final SqlFile stillBeingDelivered = SqlFile.of("queue/still-being-delivered");
    private final SqlFile failuresOf = SqlFile.of("queue/failures-of");
    private final Turn turn;
    private final Retention retention;
    private final Transactions transactions;
    private final Duration patience;

    public ManualRun(Turn turn, Retention retention, Transactions transactions, Duration patience) {
        this.turn = turn;
        this.retention = retention;
        this.transactions = transactions;
        this.patience = patience;
    }

    /** @param force "true" also takes what is not ripe yet */
    public Begun begin(Object force) throws SQLException {
        boolean all = "true".equals(force);
        Timestamp since = transactions.in(c -> DATABASE_TIME.row(c, Map.of(), Timestamp.class));
        long end = System.nanoTime() + patience.toNanos();
        TurnReport report = turn.takeAll(all);
        while (!report.mine() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(GLANCE_NANOS); // another instance has the turn for a few milliseconds
            report = report.and(turn.takeAll(all));
        }
        return new Begun(report, retention.forgetProcessed(), since);
    }

    public Map<String, Object> nothingPending() {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("message", "No invalidations pending");
        answer.put("processed", 0);
        return answer;
    }

    public Map<String, Object> await(Begun begun) throws SQLException {
        long end = System.nanoTime() + patience.toNanos();
        Set<String> waiting = new HashSet<>(begun.report().handed());
        while (!waiting.isEmpty() && System.nanoTime() - end < 0) {
            waiting = stillBeingDelivered(begun, waiting);
            if (!waiting.isEmpty()) {
                LockSupport.parkNanos(GLANCE_NANOS);
            }
        }
        Set<String> failed = new HashSet<>();
        List<Failure> failures = failures(begun);
        failures.forEach(failure -> failed.add(failure.tag()));
        List<String> errors = failures.stream()
                .map(failure -> failure.tag() + " at " + failure.target() + ": " + failure.lastError())
                .toList();
        failed.removeAll(waiting);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("processed", begun.tags() - waiting.size());
        answer.put("successful", begun.tags() - waiting.size() - failed.size());
        answer.put("failed", failed.size());
        answer.put("errors", errors);
        answer.put("cleanedUp", begun.cleanedUp());
        answer.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        if (!waiting.isEmpty()) {
            answer.put("pending", waiting.size());
        }
        return answer;
    }

    private Set<String> stillBeingDelivered(Begun begun, Set<String> tags) throws SQLException {
        Waiting which = new Waiting(List.copyOf(tags), begun.report().handovers());
        return new HashSet<>(transactions.in(c -> stillBeingDelivered.rows(c, which, String.class)));
    }

    private List<Failure> failures(Begun begun) throws SQLException {
        Tried which = new Tried(begun.report().handed(), begun.since());
        return transactions.in(c -> failuresOf.rows(c, which, Failure.class));
    }
}
