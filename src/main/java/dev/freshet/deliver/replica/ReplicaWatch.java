package dev.freshet.deliver.replica;

import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread per replica asks it, all the time while somebody waits for it, every few seconds otherwise; another one
 * looks at the clock, since a replica that hangs says nothing by itself.
 */
final class ReplicaWatch {
    /** Whoever reads the log knows this part of Freshet by that name. */
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

    /** To be called when the standings have stopped: who waits for an answer then waits no longer. */
    void stop() {
        standings.replicas().forEach(each -> each.session().abort());
    }
}
