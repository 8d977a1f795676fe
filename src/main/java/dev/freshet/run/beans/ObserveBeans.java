package dev.freshet.run.beans;

import dev.freshet.audit.FailedAttempts;
import dev.freshet.observe.CallLog;
import dev.freshet.observe.Calls;
import dev.freshet.observe.DatabaseCheck;
import dev.freshet.observe.Meters;
import dev.freshet.observe.Observation;
import dev.freshet.observe.PublicHealth;
import dev.freshet.observe.QueueCheck;
import dev.freshet.observe.ReplicaMeters;
import dev.freshet.observe.ReplicasCheck;
import dev.freshet.observe.RoutesCheck;
import dev.freshet.observe.TargetsCheck;
import dev.freshet.settings.Setting;
import java.time.Duration;

/** The beans that routes/observe.camel.yaml names: health, metrics, the log of calls. */
record ObserveBeans(Observation observation, Meters meters) {
    /** How far beyond the debounce changes may wait before the health check warns. */
    private static final Duration LONG_WAIT = Duration.ofMinutes(1);

    static ObserveBeans bind(Parts parts, QueueBeans queue, DeliverBeans deliver) {
        Calls calls = new Calls(parts.meters());
        parts.bind("calls", calls);
        parts.bind("callLog", new CallLog());
        parts.bind("failedAttempts", new FailedAttempts(parts.context(), calls::countFailedAttempt));
        Observation observation = new Observation(parts.transactions());
        parts.bind("observation", observation);
        parts.bind("metricsRegistry", parts.meters());
        Meters meters = new Meters(parts.meters())
                .of(observation)
                .of(observation, calls)
                .of(queue.turn().coalescing(), calls)
                .of(parts.liveRoutes());
        parts.bind("databaseCheck", new DatabaseCheck(parts.pool()));
        Duration unfit = parts.duration(Setting.DEBOUNCE).plus(LONG_WAIT);
        parts.bind("queueCheck", new QueueCheck(observation, unfit));
        parts.bind("targetsCheck", new TargetsCheck(observation));
        if (deliver.replicas().areThere()) {
            parts.bind("replicasCheck", new ReplicasCheck(deliver.replicas()));
            ReplicaMeters.of(deliver.replicas(), parts.meters());
        }
        parts.bind("liveRoutes", parts.liveRoutes());
        parts.bind("routesCheck", new RoutesCheck(parts.liveRoutes()));
        parts.bind("publicHealth", new PublicHealth());
        return new ObserveBeans(observation, meters);
    }
}
