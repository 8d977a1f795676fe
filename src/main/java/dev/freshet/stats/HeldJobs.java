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

/** The jobs that this instance works on. Each has a lease that is renewed as long as the job makes progress. */
final class HeldJobs {
    /** The same worker may hold two attempts of one job. */
    record HeldAttempt(String id, int attempt) {}

    private record Renewal(List<String> jobs, List<Integer> attempts, double leaseSeconds) {}

    private record HandedBack(Job.Attempt attempt, boolean death, String why) {}

    /** Longer than the attempts at the batch target and the wait for a database that is away, added together. */
    private static final Duration STANDSTILL = Duration.ofMinutes(2);

    private final SqlFile heartbeat = SqlFile.of("stats/heartbeat-jobs");
    private final SqlFile handBack = SqlFile.of("stats/hand-back-job");
    private final Transactions transactions;
    private final Duration lease;
    /** With the time (System.nanoTime) at which each job was last seen at work. */
    private final Map<Job, Long> held = new ConcurrentHashMap<>();

    HeldJobs(Transactions transactions, Duration lease) {
        this.transactions = transactions;
        this.lease = lease;
    }

    void hold(Job job) {
        held.put(job, System.nanoTime());
    }

    /** Called for a job that waits for something else, which is not its fault. */
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

    /** If a job's route was cut off, this worker no longer works on the job and must not renew its lease forever. */
    void letGoOfWhatStandsStill(Predicate<Job> isRunning) {
        held.replaceAll((job, at) -> isRunning.test(job) ? Long.valueOf(System.nanoTime()) : at);
        held.entrySet().removeIf(entry -> System.nanoTime() - entry.getValue() > STANDSTILL.toNanos());
    }

    /** @return the jobs that were taken away meanwhile */
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

    /** @param death whether this counts as one of the deaths after which a job is failed */
    void handBack(Job job, boolean death, String why) throws SQLException {
        transactions.in(c -> handBack.rows(c, new HandedBack(job.itself(), death, why)));
        letGo(job);
    }
}
