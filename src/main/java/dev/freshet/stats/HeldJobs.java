package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** The jobs that this instance works on, each under a lease that is renewed for as long as it is seen at work. */
final class HeldJobs {
    /** The same worker may hold two attempts at one job. */
    record HeldAttempt(String id, int attempt) {}

    private record Renewal(List<String> jobs, List<Integer> attempts, double leaseSeconds) {}

    private record HandedBack(Job.Attempt attempt, boolean death, String why) {}

    /** Longer than the tries at the batch target and the wait for a database that is away, together. */
    private static final Duration STANDSTILL = Duration.ofMinutes(2);

    private final SqlFile heartbeat = SqlFile.of("stats/heartbeat-jobs");
    private final SqlFile handBack = SqlFile.of("stats/hand-back-job");
    private final Transactions transactions;
    private final Duration lease;
    /** With when (System.nanoTime) it was last seen at work. */
    private final Map<Job, Long> held = new ConcurrentHashMap<>();

    HeldJobs(Transactions transactions, Duration lease) {
        this.transactions = transactions;
        this.lease = lease;
    }

    void hold(Job job) {
        held.put(job, System.nanoTime());
    }

    /** It waits for something that is not its fault. */
    void sawAtWork(Job job) {
        held.computeIfPresent(job, (same, at) -> System.nanoTime());
    }

    /** @return whether it was held until now */
    boolean letGo(Job job) {
        return held.remove(job) != null;
    }

    List<Job> all() {
        return List.copyOf(held.keySet());
    }

    /** A job whose route was cut off must not be renewed for ever by a worker that no longer works on it. */
    void letGoOfWhatStandsStill(Predicate<Job> isRunning) {
        held.replaceAll((job, at) -> isRunning.test(job) ? Long.valueOf(System.nanoTime()) : at);
        held.entrySet().removeIf(entry -> System.nanoTime() - entry.getValue() > STANDSTILL.toNanos());
    }

    /** @return those that were taken away meanwhile */
    List<Job> renew() throws SQLException {
        List<Job> mine = all();
        if (mine.isEmpty()) {
            return List.of();
        }
        Renewal renewal = new Renewal(
                mine.stream().map(Job::id).toList(),
                mine.stream().map(Job::attempt).toList(),
                lease.toMillis() / 1000.0);
        Set<HeldAttempt> still = new HashSet<>(transactions.in(c -> heartbeat.rows(c, renewal, HeldAttempt.class)));
        List<Job> lost = new ArrayList<>();
        for (Job job : mine) {
            if (!still.contains(new HeldAttempt(job.id(), job.attempt())) && letGo(job)) {
                lost.add(job);
            }
        }
        return lost;
    }

    /** @param death whether that counts as one of the deaths after which a job is failed */
    void handBack(Job job, boolean death, String why) throws SQLException {
        transactions.in(c -> handBack.rows(c, new HandedBack(job.itself(), death, why)));
        letGo(job);
    }
}
