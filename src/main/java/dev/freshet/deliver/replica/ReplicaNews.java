package dev.freshet.deliver.replica;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * That a replica is passed over, or has caught up: said in the log, and to who wants to know.
 *
 * @param why it is passed over; null where it has caught up
 */
record ReplicaNews(String replica, boolean passedOver, String why) {
    /** Whoever reads the log knows this part of Freshet by that name. */
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
