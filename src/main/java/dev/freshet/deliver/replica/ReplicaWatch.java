package dev.freshet.deliver.replica;

import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks each replica by a thread of its own: continuously while a call waits for it, every few seconds otherwise.
 * Another thread watches the clock, because a replica that hangs reports nothing.
 */
final class ReplicaWatch {
    /** The logger's name is the one that operators know for this part of Freshet. */
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

    private static final long GLANCE_NANOS = Duration.ofMillis(50).toNanos();

    private final ReplicaStandings standings;

    ReplicaWatch(ReplicaStandings standings) {
        this.standings = standings;
    }

    void begin() {
        standings.replicas().forEach(replica -> thread("replica " + replica.name(), () -> watch(replica)));
        thread("replicas", this::glance);
    }

    private static void thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void watch(Replica replica) {
        while (!standings.isStopped()) {
            ask(replica);
            standings.rest(replica);
        }
        replica.session().abort();
    }

    private void ask(Replica replica) {
        standings.asks(replica);
        try {
            standings.answered(replica, replica.session().replayed());
        } catch (SQLException | RuntimeException e) {
            String reason = replica.session().reason(e);
            LOG.debug("Replica {}: {}", replica.name(), reason);
            standings.failed(replica, reason);
        }
    }

    private void glance() {
        while (!standings.isStopped()) {
            standings.lookAtTheClock();
            try {
                standings.awaitStop(GLANCE_NANOS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Call this after the standings have stopped: it ends the waits for answers. */
    void stop() {
        standings.replicas().forEach(each -> each.session().abort());
    }
}
