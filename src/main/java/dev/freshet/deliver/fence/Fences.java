package dev.freshet.deliver.fence;

import dev.freshet.api.Problem;
import dev.freshet.database.Transactions;
import dev.freshet.run.stop.StopsFirst;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers all that wait for a fence. While there are any, one thread checks for all of them, every 10 ms, and at once
 * when this instance has settled something. It rests three times as long as a check takes, so that even a thousand
 * waiters cost the database no more than a quarter of one connection's time.
 */
public final class Fences implements StopsFirst {
    private static final Logger LOG = LoggerFactory.getLogger(Fences.class);
    private static final int MOST = 10_000;
    private static final long GLANCE_NANOS = Duration.ofMillis(10).toNanos();
    private static final long TROUBLE_NANOS = Duration.ofMillis(250).toNanos();
    private static final int REST = 3;
    private static final int RETRY_AFTER_SECONDS = 5;

    /** One that waits; {@code until} is a value of System.nanoTime. */
    record Waiter(String token, long until, Consumer<FenceStanding> answer) {
        boolean isEnding(long now) {
            return until - now <= 0;
        }
    }

    private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
    private final FenceLook look;
    private final Executor thread;
    private boolean looking;
    private boolean hurry;
    private volatile boolean stopping;

    /** @param thread runs one task at a time, as long as anyone waits */
    public Fences(Transactions transactions, Executor thread) {
        this.look = new FenceLook(transactions);
        this.thread = thread;
    }

    /** @return false if too many are waiting already, or if Freshet is stopping */
    boolean enter(Waiter waiter) {
        if (stopping || waiters.size() >= MOST) {
            return false;
        }
        waiters.add(waiter);
        lookSoon();
        return true;
    }

    /** The client has closed the connection or has its answer. */
    void leave(Waiter waiter) {
        waiters.remove(waiter);
    }

    public int waiting() {
        return waiters.size();
    }

    /** Something was settled on this instance. */
    public void somethingHappened() {
        if (!waiters.isEmpty()) {
            lookSoon();
        }
    }

    private synchronized void lookSoon() {
        hurry = true;
        notifyAll();
        if (!looking) {
            try {
                thread.execute(this::lookWhileSomebodyWaits);
                looking = true;
            } catch (RejectedExecutionException stopped) {
                stop();
            }
        }
    }

    private void lookWhileSomebodyWaits() {
        while (isWanted()) {
            long begun = System.nanoTime();
            boolean well = lookOnce();
            long took = System.nanoTime() - begun;
            try {
                rest(took, well);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                stop();
            }
        }
    }

    private synchronized boolean isWanted() {
        hurry = false;
        looking = !waiters.isEmpty();
        return looking;
    }

    private boolean lookOnce() {
        List<Waiter> all = List.copyOf(waiters);
        long now = System.nanoTime();
        Set<String> tokens = all.stream().map(Waiter::token).collect(Collectors.toSet());
        Set<String> ending =
                all.stream().filter(w -> w.isEnding(now)).map(Waiter::token).collect(Collectors.toSet());
        try {
            Map<String, FenceStanding> standings = look.at(tokens, ending);
            for (Waiter waiter : all) {
                FenceStanding standing = standings.get(waiter.token());
                if (standing != null && (standing.status() != 202 || waiter.isEnding(now))) {
                    answer(waiter, standing);
                }
            }
            return true;
        } catch (SQLException | RuntimeException e) {
            LOG.debug("How fences stand is not known", e);
            long failed = System.nanoTime(); // seconds later, if no connection was to be had
            all.stream()
                    .filter(waiter -> waiter.isEnding(failed))
                    .forEach(waiter -> answer(
                            waiter,
                            FenceStanding.of(Problem.of(503, "the database is away; try again")
                                    .retryAfter(RETRY_AFTER_SECONDS))));
            return false;
        }
    }

    private void answer(Waiter waiter, FenceStanding standing) {
        if (waiters.remove(waiter)) {
            waiter.answer().accept(standing);
        }
    }

    /**
     * The rest is short when something has happened, but never so short that the database does nothing but answer these
     * checks.
     */
    private synchronized void rest(long took, boolean well) throws InterruptedException {
        long end = System.nanoTime() + (well ? Math.max(GLANCE_NANOS, REST * took) : TROUBLE_NANOS);
        for (Waiter waiter : waiters) {
            end = waiter.until() - end < 0 ? waiter.until() : end;
        }
        long earliest = System.nanoTime() + (well ? took : TROUBLE_NANOS);
        for (long now = System.nanoTime(); now - earliest < 0 || !hurry && now - end < 0; now = System.nanoTime()) {
            long left = now - earliest < 0 ? earliest - now : end - now;
            wait(left / 1_000_000, (int) (left % 1_000_000));
        }
    }

    /** Waiting clients repeat their request, and another instance answers it. */
    @Override
    public void stop() {
        stopping = true;
        List.copyOf(waiters)
                .forEach(waiter -> answer(
                        waiter,
                        FenceStanding.of(Problem.of(503, "Freshet is stopping; ask again")
                                .retryAfter(1))));
    }
}
