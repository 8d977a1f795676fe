package dev.freshet.cache;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets requests that arrive during a commit share the next one, because a transaction costs about the same for many
 * requests as for one. One of the waiting threads does the work for all. If that fails, each request is processed
 * alone, so that none fails because of another.
 */
final class Together {
    /** A request and how it ended: with its answer, without a connection, or to be processed alone. */
    static final class One {
        private final InvalidationRequest request;
        private final String said;
        private final long begun;
        private final Thread caller = Thread.currentThread();
        private volatile boolean ended;
        private String answer;
        private SQLException failure;

        /** @param said the answer without its time, as JSON */
        One(InvalidationRequest request, String said, long begun) {
            this.request = request;
            this.said = said;
            this.begun = begun;
        }

        private void end(String itsAnswer, SQLException itsFailure) {
            answer = itsAnswer;
            failure = itsFailure;
            ended = true;
            LockSupport.unpark(caller);
        }
    }

    record AnsweredRequest(String request, String answer) {}

    /** @param keys of each request, as JSON */
    private record Shared(
            List<String> requests,
            List<String> keys,
            List<String> answers,
            List<String> callers,
            List<Double> elapsedMs) {}

    private static final Logger LOG = LoggerFactory.getLogger(Together.class);
    private static final int MOST = 64;
    /** One transaction waits for the disk while the next is being prepared. */
    private static final int AT_ONCE = 2;

    private final SqlFile invalidate = SqlFile.of("cache/invalidate-together");
    private final Queue<One> waiting = new ConcurrentLinkedQueue<>();
    private final Semaphore turns = new Semaphore(AT_ONCE);
    private final Transactions transactions;

    Together(Transactions transactions) {
        this.transactions = transactions;
    }

    /** @return the answer; null: the request has to be processed alone */
    String answer(One one) throws SQLException {
        boolean interrupted = false;
        waiting.add(one);
        while (!one.ended) {
            if (turns.tryAcquire()) {
                try {
                    takeTurn();
                } finally {
                    turns.release();
                    callNext();
                }
            } else {
                // a thread that finishes its turn wakes the first that still waits
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (one.failure != null) {
            throw one.failure;
        }
        return one.answer;
    }

    private void callNext() {
        One next = waiting.peek();
        if (next != null) {
            LockSupport.unpark(next.caller);
        }
    }

    private void takeTurn() {
        List<One> all = new ArrayList<>();
        for (One next = waiting.poll(); next != null; next = all.size() < MOST ? waiting.poll() : null) {
            all.add(next);
        }
        if (all.isEmpty()) {
            return;
        }
        Map<String, String> answers = Map.of();
        SQLException noConnection = null;
        try {
            answers = commit(all);
        } catch (SQLTransientConnectionException e) {
            noConnection = e; // alone, each request would wait just as long for a connection
        } catch (SQLException | RuntimeException e) {
            LOG.debug("{} requests could not be committed together; each goes by itself", all.size(), e);
        } finally {
            for (One one : all) {
                one.end(answers.get(one.request.requestId()), noConnection);
            }
        }
    }

    private Map<String, String> commit(List<One> all) throws SQLException {
        Shared shared = new Shared(
                all.stream().map(one -> one.request.requestId()).toList(),
                all.stream().map(one -> Json.text(one.request.keys())).toList(),
                all.stream().map(one -> one.said).toList(),
                all.stream().map(one -> one.request.triggeredBy()).toList(),
                all.stream().map(one -> (System.nanoTime() - one.begun) / 1e6).toList());
        Map<String, String> answers = new HashMap<>();
        transactions
                .inOne(c -> invalidate.rows(c, shared, AnsweredRequest.class))
                .forEach(answered -> answers.put(answered.request(), answered.answer()));
        return answers;
    }
}
