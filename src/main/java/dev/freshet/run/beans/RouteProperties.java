package dev.freshet.run.beans;

import dev.freshet.settings.Durations;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/** The properties that routes read besides the settings themselves. */
public final class RouteProperties {
    /** How often a job's worker renews its lease within the lease's duration. */
    private static final int HEARTBEATS = 5;

    private RouteProperties() {}

    /** @param demoReceiver the address at which Freshet's own receiver stands in for a target; null: it does not */
    public static Properties of(Settings settings, String demoReceiver) {
        Properties properties = new Properties();
        boolean isTagTarget = settings.has(Setting.VERCEL_DEPLOYMENT_URL) || demoReceiver != null;
        boolean isBatchTarget = settings.batchTargetUrl().isPresent() || demoReceiver != null;
        properties.setProperty("freshet.deliver.tag-target-enabled", Boolean.toString(isTagTarget));
        properties.setProperty("freshet.deliver.batch-target-enabled", Boolean.toString(isBatchTarget));
        properties.setProperty("freshet.deliver.batch-target-takes-queue", Boolean.toString(!isTagTarget));
        if (!settings.has(Setting.VERCEL_DEPLOYMENT_URL)) {
            properties.setProperty(
                    Setting.VERCEL_DEPLOYMENT_URL.key, demoReceiver == null ? "http://no-tag-target" : demoReceiver);
        }
        if (settings.batchTargetUrl().isEmpty()) {
            properties.setProperty(
                    Setting.CACHE_INVALIDATION_URL.key,
                    demoReceiver == null ? "http://no-batch-target" : demoReceiver + "/api/internal/cache/invalidate");
        }
        properties.setProperty("freshet.deliver.breaker-probes", probes(settings));
        long heartbeat = settings.duration(Setting.JOB_LEASE).toMillis() / HEARTBEATS;
        properties.setProperty("freshet.stats.heartbeat-ms", Long.toString(heartbeat));
        properties.setProperty("freshet.stats.cron-enabled", Boolean.toString(settings.has(Setting.STATS_CRON)));
        if (!settings.has(Setting.STATS_CRON)) {
            // Quartz needs an expression, even if it never fires
            properties.setProperty(Setting.STATS_CRON.key, "0 0 0 1 1 ? 2099");
        }
        return properties;
    }

    /** The pauses before the probes of a target, in seconds: as they grow, and twice the longest. */
    private static String probes(Settings settings) {
        Duration longest = settings.duration(Setting.BREAKER_PROBE_MAX);
        List<String> pauses = new ArrayList<>();
        for (Duration next = settings.duration(Setting.BREAKER_PROBE);
                next.compareTo(longest) < 0;
                next = next.multipliedBy(2)) {
            pauses.add(Durations.seconds(next));
        }
        pauses.addAll(Collections.nCopies(2, Durations.seconds(longest)));
        return String.join(", ", pauses) + " …";
    }
}
