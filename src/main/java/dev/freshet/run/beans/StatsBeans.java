package dev.freshet.run.beans;

import dev.freshet.observe.JobMeters;
import dev.freshet.settings.Setting;
import dev.freshet.stats.JobRequests;
import dev.freshet.stats.Jobs;
import dev.freshet.stats.Refreshes;
import dev.freshet.stats.StatsFunctions;

/** The beans that routes/stats.camel.yaml and routes/api-stats.camel.yaml name. */
final class StatsBeans {
    private StatsBeans() {}

    static void bind(Parts parts, DeliverBeans deliver) {
        String worker = parts.settings().text(Setting.WORKER_ID).orElseThrow();
        String queue = parts.settings().text(Setting.QUEUE_NAME).orElseThrow();
        JobMeters meters = new JobMeters(parts.meters(), worker, queue);
        StatsFunctions functions =
                new StatsFunctions(parts.transactions(), parts.single(), meters, parts.duration(Setting.STATS_TIMEOUT));
        parts.bind("stats", functions);
        parts.bind(
                "statsThreads",
                parts.context().getExecutorServiceManager().newCachedThreadPool(functions, "stats-function"));
        Jobs.Terms terms = new Jobs.Terms(
                worker,
                queue,
                parts.number(Setting.STATS_JOBS),
                parts.duration(Setting.JOB_LEASE),
                parts.duration(Setting.BACKOFF));
        parts.bind(
                "jobs",
                new Jobs(parts.transactions(), functions, meters, terms, parts.hasBatchTarget(), deliver.replicas()));
        parts.bind("refreshes", new Refreshes());
        parts.bind("jobRequests", new JobRequests(parts.transactions(), parts.settings()));
    }
}
