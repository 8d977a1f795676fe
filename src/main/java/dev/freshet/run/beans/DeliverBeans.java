package dev.freshet.run.beans;

import dev.freshet.audit.AuditLog;
import dev.freshet.deliver.BearerKey;
import dev.freshet.deliver.Call;
import dev.freshet.deliver.CallQueues;
import dev.freshet.deliver.DeadLetters;
import dev.freshet.deliver.Deadline;
import dev.freshet.deliver.HostNames;
import dev.freshet.deliver.Lanes;
import dev.freshet.deliver.Ledger;
import dev.freshet.deliver.Marking;
import dev.freshet.deliver.Outcomes;
import dev.freshet.deliver.Settlement;
import dev.freshet.deliver.TargetFiles;
import dev.freshet.deliver.TargetRoutes;
import dev.freshet.deliver.Targets;
import dev.freshet.deliver.fence.Fences;
import dev.freshet.deliver.fence.FreshAnswer;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.observe.Meters;
import dev.freshet.run.routes.Announcement;
import dev.freshet.run.routes.Wake;
import dev.freshet.settings.Setting;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.camel.Processor;

/** The beans that routes/deliver.camel.yaml and the targets' files name, except for {@link ProviderBeans}. */
record DeliverBeans(Marking marking, Lanes lanes, CallQueues callQueues, Replicas replicas) {
    static DeliverBeans bind(Parts parts) {
        Marking marking = new Marking();
        Replicas replicas = replicas(parts);
        Lanes lanes = new Lanes(parts.transactions(), terms(parts, replicas), replicas);
        parts.bind("lanes", lanes);
        CallQueues callQueues = new CallQueues(parts.context(), lanes, replicas);
        parts.bind("callQueues", callQueues);
        Ledger ledger = bindOutcomes(parts, marking, lanes, callQueues);
        bindFences(parts, ledger);
        bindTargets(parts, lanes);
        ProviderBeans.bind(parts);
        parts.bind("deadLetters", new DeadLetters(parts.transactions()));
        return new DeliverBeans(marking, lanes, callQueues, replicas);
    }

    private static Replicas replicas(Parts parts) {
        Consumer<AuditLog.Row> audit = parts.audit();
        Replicas replicas = new Replicas(
                parts.settings().text(Setting.REPLICAS).orElse(""),
                parts.duration(Setting.REPLICA_WAIT),
                parts.transactions(),
                (name, passedOver, why) -> audit.accept(AuditLog.Row.ofReplica(name, passedOver, why)));
        parts.bind("replicas", replicas);
        return replicas;
    }

    /** The lease includes the time that claimed deliveries may wait for read replicas. */
    private static Lanes.Terms terms(Parts parts, Replicas replicas) {
        Duration lease = parts.duration(Setting.LEASE);
        return new Lanes.Terms(
                replicas.areThere() ? lease.plus(parts.duration(Setting.REPLICA_WAIT)) : lease,
                parts.duration(Setting.TARGET_TIMEOUT),
                parts.duration(Setting.BREAKER_PROBE),
                parts.duration(Setting.BREAKER_PROBE_MAX));
    }

    private static Ledger bindOutcomes(Parts parts, Marking marking, Lanes lanes, CallQueues callQueues) {
        Settlement settlement = new Settlement(
                parts.transactions(),
                marking,
                new Settlement.Patience(
                        parts.duration(Setting.RETRY_FOR),
                        parts.duration(Setting.BACKOFF),
                        parts.duration(Setting.BACKOFF_MAX),
                        parts.number(Setting.BREAKER_TAGS),
                        parts.duration(Setting.BREAKER_PROBE)));
        Ledger ledger = new Ledger(
                settlement,
                lanes,
                parts.duration(Setting.SETTLE),
                new Wake(parts.context(), "seda:settle?size=1&discardWhenFull=true")::now,
                new Announcement(parts.context(), "seda:breaker-changed")::tell);
        parts.bind("ledger", ledger);
        Outcomes outcomes = new Outcomes(lanes, ledger, Clock.systemUTC());
        callQueues.setOutcomes(outcomes);
        parts.bind("outcomes", outcomes);
        parts.bind("tagOrTags", (Processor) Call::writeTags);
        parts.bind("beginCall", (Processor) outcomes::begin);
        parts.bind("noteDelivered", (Processor) outcomes::noteDelivered);
        parts.bind("noteAnswer", (Processor) outcomes::noteAnswer);
        parts.bind("noteFailure", (Processor) outcomes::noteFailure);
        return ledger;
    }

    /** Requests that wait for a fence use no thread, and learn at once of what is settled on this instance. */
    private static void bindFences(Parts parts, Ledger ledger) {
        Fences fences = new Fences(
                parts.transactions(),
                parts.context().getExecutorServiceManager().newFixedThreadPool(ledger, "fences", 1));
        ledger.afterSettling(fences::somethingHappened);
        new Meters(parts.meters()).of(fences);
        parts.bind("fences", fences);
        parts.bind("freshAnswer", new FreshAnswer(fences));
    }

    private static void bindTargets(Parts parts, Lanes lanes) {
        HostNames hostNames = new HostNames(InetAddress::getAllByName);
        parts.bind("hostNames", hostNames);
        parts.bind("targets", new Targets(parts.context(), parts.transactions(), lanes, hostNames));
        parts.bind("targetFiles", new TargetFiles());
        TargetRoutes targetRoutes = new TargetRoutes();
        parts.bind("targetRoutes", targetRoutes);
        parts.context().addLifecycleStrategy(targetRoutes);
        parts.bind("targetHttp", new Deadline(parts.duration(Setting.TARGET_TIMEOUT)));
        // no other target ever gets this key; the demo's receiver is behind the gate like everything else
        parts.bind(
                "batchKey",
                new BearerKey(parts.demoReceiver() == null ? parts.secret(Setting.API_KEY) : parts.demoKey()));
    }
}
