package dev.freshet.deliver.replica;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.run.stop.StopsFirst;
import dev.freshet.settings.CannotStart;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the pages read (FRESHET_REPLICAS): a call begins only when each of them has replayed what it covers. Who waits
 * is a position with something to run, not a thread. One thread per replica asks it, all the time while somebody waits
 * for it, every few seconds otherwise; another one looks at the clock, so that a replica that hangs holds up nobody for
 * longer than FRESHET_REPLICA_WAIT.
 */
public final class Replicas implements StopsFirst {
    /** Is told when a replica is passed over, and when it has caught up. */
    public interface Listener {
        void tell(String replica, boolean passedOver, String why);
    }

    /** How a replica is; {@code says} is null when there is nothing to say of it. */
    public record Seen(String name, boolean isPassedOver, Instant since, double lagSeconds, String says) {}

    private record Waiting(long position, long since, Runnable go) {}

    private record News(Replica replica, boolean passedOver, String why) {}

    private static final class Replica {
        private final String name;
        private final ReplicaSession session;
        private final ReplicaStanding standing;
        private final Condition isWanted;

        private Replica(DatabaseUrl address, Transactions primary, Duration wait, Condition isWanted) {
            this.name = ReplicaAddresses.name(address);
            this.session = new ReplicaSession(address, primary);
            this.standing = new ReplicaStanding(wait);
            this.isWanted = isWanted;
        }
    }

    public static final Replicas NONE = new Replicas("", Duration.ZERO, null, (replica, passedOver, why) -> {});

    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);
    private static final long IDLE_NANOS = Duration.ofSeconds(5).toNanos();
    private static final long TROUBLED_NANOS = Duration.ofMillis(250).toNanos();
    /** While somebody waits: an eighth of the time that it has waited, within these. */
    private static final long SHORTEST_NANOS = Duration.ofMillis(1).toNanos();

    private static final long LONGEST_NANOS = Duration.ofMillis(25).toNanos();
    private static final long GLANCE_NANOS = Duration.ofMillis(50).toNanos();
    private static final long MEANWHILE_MILLIS = 500;

    private final SqlFile written = SqlFile.of("deliver/written");
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition isOver = lock.newCondition();
    private final List<Replica> replicas = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final Written positions = new Written();
    private final Transactions primary;
    private final Listener listener;
    private volatile double waitSeconds;
    private volatile boolean stopped;

    /**
     * Asks nobody yet.
     *
     * @param addresses as FRESHET_REPLICAS has them
     * @throws Refusal says which of them is bad
     */
    public Replicas(String addresses, Duration wait, Transactions primary, Listener listener) {
        this.primary = primary;
        this.listener = listener;
        if (!addresses.isBlank()) {
            ReplicaAddresses.parse(addresses)
                    .forEach(address -> replicas.add(new Replica(address, primary, wait, lock.newCondition())));
        }
    }

    /** Whether calls have to say which position they cover. */
    public boolean areThere() {
        return !replicas.isEmpty();
    }

    /** @throws Refusal where the primary does not tell positions: nothing could ever be called */
    public void begin() {
        if (replicas.isEmpty()) {
            return;
        }
        try {
            position();
        } catch (SQLException e) {
            if (e.getSQLState() != null && !SqlState.isConnectionLost(e)) {
                throw new CannotStart(
                        "FRESHET_REPLICAS is set, but the database of DATABASE_URL does not tell how far it has"
                                + " written ("
                                + e.getMessage().lines().findFirst().orElse("") + "): unset FRESHET_REPLICAS");
            }
        }
        replicas.forEach(replica -> thread("replica " + replica.name, () -> watch(replica)));
        thread("replicas", this::glance);
    }

    private static void thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** A position that covers everything that is committed now. */
    public long position() throws SQLException {
        return replicas.isEmpty() ? 0 : primary.in(c -> written.row(c, Map.of(), Long.class));
    }

    /**
     * Runs this as soon as every replica that is not passed over has replayed so much: at once, or by another thread.
     */
    public void whenReplayed(long position, Runnable go) {
        if (!replicas.isEmpty() && !isReplayed(position, go)) {
            return;
        }
        go.run();
    }

    private boolean isReplayed(long position, Runnable go) {
        lock.lock();
        try {
            long now = System.nanoTime();
            positions.note(position, now);
            List<Replica> behind = replicas.stream()
                    .filter(each -> each.standing.holdsBack(position))
                    .toList();
            if (behind.isEmpty()) {
                waitSeconds *= 0.75;
                return !stopped;
            }
            if (!stopped) {
                waiting.add(new Waiting(position, now, go));
                behind.forEach(each -> each.isWanted.signal());
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * @param meanwhile what is done again and again while it waits
     * @return false if Freshet stops first
     */
    public boolean await(long position, Runnable meanwhile) {
        CountDownLatch isThere = new CountDownLatch(1);
        whenReplayed(position, isThere::countDown);
        try {
            while (!isThere.await(MEANWHILE_MILLIS, TimeUnit.MILLISECONDS)) {
                if (stopped) {
                    return false;
                }
                meanwhile.run();
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** How long calls wait here at present: so much more has to be in hand. */
    public double waitSeconds() {
        return waitSeconds;
    }

    public List<Seen> seen() {
        lock.lock();
        try {
            long now = System.nanoTime();
            return replicas.stream().map(each -> seen(each, now)).toList();
        } finally {
            lock.unlock();
        }
    }

    private Seen seen(Replica replica, long now) {
        ReplicaStanding standing = replica.standing;
        Long beyondSince = positions.beyondSince(standing.replayed());
        return new Seen(
                replica.name,
                standing.isPassedOver(),
                standing.passedOverAt(),
                standing.lagSeconds(now, beyondSince),
                standing.says(now, beyondSince));
    }

    private void watch(Replica replica) {
        while (!stopped) {
            ask(replica);
            rest(replica);
        }
        replica.session.abort();
    }

    private void ask(Replica replica) {
        locked(() -> replica.standing.asks(System.nanoTime()));
        try {
            long position = replica.session.replayed();
            locked(() -> {
                Long beyondSince = positions.beyondSince(position);
                return replica.standing.answered(System.nanoTime(), position, beyondSince)
                        ? List.of(new News(replica, false, null))
                        : List.of();
            });
        } catch (SQLException | RuntimeException e) {
            LOG.debug("Replica {}: {}", replica.name, replica.session.reason(e));
            locked(() -> replica.standing.failed(replica.session.reason(e)));
        }
    }

    private void locked(Runnable change) {
        locked(() -> {
            change.run();
            return List.of();
        });
    }

    /** What follows from it is done when the lock is free again. */
    private void locked(Supplier<List<News>> change) {
        List<News> news = new ArrayList<>();
        List<Runnable> free = new ArrayList<>();
        lock.lock();
        try {
            news.addAll(change.get());
            news.addAll(overdue());
            free.addAll(takeWhatIsReplayed());
        } finally {
            lock.unlock();
        }
        news.forEach(this::say);
        free.forEach(this::run);
    }

    /** One that fails takes no other with it; its lease ends by itself. */
    private void run(Runnable go) {
        try {
            go.run();
        } catch (RuntimeException e) {
            LOG.warn("A call that waited for read replicas could not begin: {}", e.toString());
        }
    }

    private List<News> overdue() {
        List<News> news = new ArrayList<>();
        long now = System.nanoTime();
        for (Replica each : stopped ? List.<Replica>of() : replicas) {
            String why = each.standing.overdue(now, positions.beyondSince(each.standing.replayed()));
            if (why != null) {
                news.add(new News(each, true, why));
            }
        }
        return news;
    }

    private List<Runnable> takeWhatIsReplayed() {
        List<Runnable> free = new ArrayList<>();
        long now = System.nanoTime();
        double oldest = 0;
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
            Waiting next = each.next();
            double waited = (now - next.since) / 1e9;
            if (replicas.stream().noneMatch(replica -> replica.standing.holdsBack(next.position))) {
                free.add(next.go);
                each.remove();
                waitSeconds += (waited - waitSeconds) / 4;
            } else {
                oldest = Math.max(oldest, waited);
            }
        }
        waitSeconds = Math.max(waitSeconds, oldest);
        replicas.stream().mapToLong(each -> each.standing.replayed()).min().ifPresent(positions::forget);
        return free;
    }

    private void say(News news) {
        String name = news.replica.name;
        if (news.passedOver) {
            LOG.warn("Replica {} is passed over: {}. Calls do not wait for it until it has caught up", name, news.why);
        } else {
            LOG.info("Replica {} has caught up: calls wait for it again", name);
        }
        try {
            listener.tell(name, news.passedOver, news.why);
        } catch (RuntimeException e) {
            LOG.debug("The audit was not told of replica {}", name, e);
        }
    }

    private void rest(Replica replica) {
        long began = System.nanoTime();
        lock.lock();
        try {
            for (long left = pause(replica);
                    left > 0 && !stopped;
                    left = pause(replica) - (System.nanoTime() - began)) {
                replica.isWanted.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private long pause(Replica replica) {
        if (replica.standing.isInTrouble() || replica.standing.isPassedOver()) {
            return TROUBLED_NANOS;
        }
        long now = System.nanoTime();
        return waiting.stream()
                .filter(each -> replica.standing.holdsBack(each.position))
                .findFirst()
                .map(each -> Math.max(SHORTEST_NANOS, Math.min(LONGEST_NANOS, (now - each.since) / 8)))
                .orElse(IDLE_NANOS);
    }

    /** Whoever hangs says nothing by himself. */
    private void glance() {
        while (!stopped) {
            locked(() -> {});
            lock.lock();
            try {
                isOver.awaitNanos(GLANCE_NANOS);
            } catch (InterruptedException e) {
                return;
            } finally {
                lock.unlock();
            }
        }
    }

    /** Nothing begins any more: what waits is handed back. */
    @Override
    public void stop() {
        stopped = true;
        lock.lock();
        try {
            waiting.clear();
            replicas.forEach(each -> each.isWanted.signal());
            isOver.signalAll();
        } finally {
            lock.unlock();
        }
        replicas.forEach(each -> each.session.abort());
    }
}
