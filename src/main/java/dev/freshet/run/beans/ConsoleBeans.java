package dev.freshet.run.beans;

import dev.freshet.console.DryRun;
import dev.freshet.console.Failures;
import dev.freshet.console.Freshness;
import dev.freshet.console.Overview;
import dev.freshet.console.RouteControl;
import dev.freshet.observe.RouteCounts;
import dev.freshet.settings.Setting;
import java.time.Duration;
import java.time.Instant;

/** The beans that routes/api-console.camel.yaml and the console's pages name. */
final class ConsoleBeans {
    private static final Duration LATE = Duration.ofSeconds(10);

    private ConsoleBeans() {}

    static void bind(Parts parts, ObserveBeans observe, DeliverBeans deliver, AuditBeans audit) {
        Failures failures = new Failures();
        RouteCounts counts = new RouteCounts(parts.context(), parts.meters(), failures::add);
        parts.bind("routeCounts", counts);
        parts.context().addLifecycleStrategy(counts);
        RouteControl routeControl =
                new RouteControl(parts.context(), audit.log(), parts.liveRoutes(), counts, failures);
        parts.bind("routeControl", routeControl);
        Freshness freshness = new Freshness(parts.meters(), observe.observation()::pendingTags);
        parts.bind("freshness", freshness);
        parts.bind("dryRun", new DryRun(parts.transactions()));
        Overview overview = new Overview(
                parts.transactions(), freshness, observe.meters(), routeControl, parts.liveRoutes(), instance(parts));
        overview.alsoLooksAt(deliver.replicas());
        parts.bind("overview", overview);
    }

    /**
     * Changes count as late after they have waited through a few polls although they could have gone. Their age is
     * measured from the start of their bucket: they can go when the bucket is ripe, or at once if they arrive later
     * than that.
     */
    private static Overview.Instance instance(Parts parts) {
        String version = ConsoleBeans.class.getPackage().getImplementationVersion();
        Duration debounce = parts.duration(Setting.DEBOUNCE);
        Duration bucket = parts.duration(Setting.BUCKET);
        Duration ripe = debounce.compareTo(bucket) > 0 ? debounce : bucket;
        Duration late = ripe.plus(parts.duration(Setting.QUEUE_POLL).multipliedBy(3))
                .plus(parts.duration(Setting.TARGET_TIMEOUT))
                .plus(LATE);
        return new Overview.Instance(
                parts.settings().text(Setting.WORKER_ID).orElseThrow(),
                version == null ? "development" : version,
                Instant.now(),
                late);
    }
}
