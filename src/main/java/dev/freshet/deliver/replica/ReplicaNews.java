package dev.freshet.deliver.replica;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica is passed over or has caught up, as it is reported to the log and to listeners.
 *
 * @param why the reason why it is passed over; null if it has caught up
 */
record ReplicaNews(String replica, boolean passedOver, String why) {
    /** The logger's name is the one that operators know for this part of Freshet. */
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

    void tell(Replicas.Listener listener) {
        if (passedOver) {
            LOG.warn("Replica {} is passed over: {}. Calls do not wait for it until it has caught up", replica, why);
        } else {
            LOG.info("Replica {} has caught up: calls wait for it again", replica);
        }
        try {
            listener.tell(replica, passedOver, why);
        } catch (RuntimeException e) {
            LOG.debug("The audit was not told of replica {}", replica, e);
        }
    }
}
