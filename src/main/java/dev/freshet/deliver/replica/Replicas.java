package dev.freshet.deliver.replica;

import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import dev.freshet.run.stop.StopsFirst;
import dev.freshet.settings.CannotStart;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The read replicas that pages are rendered from (FRESHET_REPLICAS). A call begins only when each of them has replayed
 * what it covers. What waits is a position and a task, not a thread ({@link WaitingCalls}). {@link ReplicaWatch} asks
 * for each replica's position, and {@link ReplicaStandings} keeps it. A replica that hangs delays no call for longer
 * than FRESHET_REPLICA_WAIT.
 */
public final class Replicas implements StopsFirst {
    /** Is notified when a replica is passed over, and when it has caught up. */
    public interface Listener {
        void tell(String replica, boolean passedOver, String why);
    }

    /** The state of a replica; {@code says} is null if there is nothing to report. */
    public record Seen(String name, boolean isPassedOver, Instant since, double lagSeconds, String says) {}

    public static final Replicas NONE = new Replicas("", Duration.ZERO, null, (replica, passedOver, why) -> {});

    private static final long MEANWHILE_MILLIS = 500;

    private final SqlFile written = SqlFile.of("deliver/written");
    private final Transactions primary;
    private final ReplicaStandings standings;
    private final ReplicaWatch watch;

    /**
     * Does not ask any replica yet.
     *
     * @param addresses the value of FRESHET_REPLICAS
     * @throws CannotStart says which of them is bad
     */
    public Replicas(String addresses, Duration wait, Transactions primary, Listener listener) {
        this.primary = primary;
        this.standings = new ReplicaStandings(
                addresses.isBlank() ? List.of() : ReplicaAddresses.parse(addresses), wait, primary, listener);
        this.watch = new ReplicaWatch(standings);
    }

    /** Whether calls have to state which position they cover. */
    public boolean areThere() {
        return !standings.replicas().isEmpty();
    }

    /** @throws CannotStart if the primary does not report positions: no call could ever be made */
    public void begin() {
        if (!areThere()) {
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
        watch.begin();
    }

    /** A position that covers everything committed by now. */
    public long position() throws SQLException {
        return areThere() ? primary.in(c -> written.row(c, Map.of(), Long.class)) : 0;
    }

    /**
     * Runs the task as soon as every replica that is not passed over has replayed this position: at once, or in another
     * thread.
     */
    public void whenReplayed(long position, Runnable go) {
        standings.whenReplayed(position, go);
    }

    /**
     * @param meanwhile runs repeatedly during the wait
     * @return false if Freshet stops first
     */
    public boolean await(long position, Runnable meanwhile) {
        CountDownLatch isThere = new CountDownLatch(1);
        whenReplayed(position, isThere::countDown);
        try {
            while (!isThere.await(MEANWHILE_MILLIS, TimeUnit.MILLISECONDS)) {
                if (standings.isStopped()) {
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

    /** How long calls currently wait for replicas. Lanes hold correspondingly more. */
    public double waitSeconds() {
        return standings.waitSeconds();
    }

    public List<Seen> seen() {
        return standings.seen();
    }

    /** No calls begin any more: what waits is handed back. */
    @Override
    public void stop() {
        standings.stop();
        watch.stop();
    }
}
