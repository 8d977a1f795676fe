package dev.freshet.run;

import dev.freshet.api.ApiRates;
import dev.freshet.api.Bind;
import dev.freshet.api.Keys;
import dev.freshet.api.Problems;
import dev.freshet.api.QuietHeaders;
import dev.freshet.api.Rate;
import dev.freshet.api.RefusalReports;
import dev.freshet.api.Requests;
import dev.freshet.api.gate.Gate;
import dev.freshet.audit.AuditChain;
import dev.freshet.audit.AuditLog;
import dev.freshet.audit.AuditPages;
import dev.freshet.audit.FailedAttempts;
import dev.freshet.audit.Troubles;
import dev.freshet.cache.EntityRules;
import dev.freshet.cache.Entries;
import dev.freshet.cache.InvalidationStep;
import dev.freshet.cache.Invalidations;
import dev.freshet.cache.Publications;
import dev.freshet.cache.Tallies;
import dev.freshet.cache.Topic;
import dev.freshet.cache.pattern.Patterns;
import dev.freshet.console.DryRun;
import dev.freshet.console.Failures;
import dev.freshet.console.Freshness;
import dev.freshet.console.Overview;
import dev.freshet.console.RouteControl;
import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.ServerTimeZone;
import dev.freshet.database.Transactions;
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
import dev.freshet.deliver.PlainCall;
import dev.freshet.deliver.Settlement;
import dev.freshet.deliver.Signature;
import dev.freshet.deliver.TargetFiles;
import dev.freshet.deliver.TargetRoutes;
import dev.freshet.deliver.Targets;
import dev.freshet.deliver.fence.Fences;
import dev.freshet.deliver.fence.FreshAnswer;
import dev.freshet.deliver.policy.Policies;
import dev.freshet.deliver.provider.Answer;
import dev.freshet.deliver.provider.AwsSignature;
import dev.freshet.deliver.provider.EdgeGrid;
import dev.freshet.deliver.provider.Redis;
import dev.freshet.deliver.provider.Spellings;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.demo.CachedPages;
import dev.freshet.demo.DemoReceiver;
import dev.freshet.demo.DemoTables;
import dev.freshet.live.Broadcasts;
import dev.freshet.live.Hints;
import dev.freshet.live.History;
import dev.freshet.live.Hub;
import dev.freshet.live.Lookout;
import dev.freshet.live.Published;
import dev.freshet.live.Relay;
import dev.freshet.live.Stream;
import dev.freshet.observe.CallLog;
import dev.freshet.observe.Calls;
import dev.freshet.observe.DatabaseCheck;
import dev.freshet.observe.JobMeters;
import dev.freshet.observe.LiveMeters;
import dev.freshet.observe.Meters;
import dev.freshet.observe.Observation;
import dev.freshet.observe.PublicHealth;
import dev.freshet.observe.QueueCheck;
import dev.freshet.observe.ReplicaMeters;
import dev.freshet.observe.ReplicasCheck;
import dev.freshet.observe.RouteCounts;
import dev.freshet.observe.TargetsCheck;
import dev.freshet.queue.Inbox;
import dev.freshet.queue.ManualRun;
import dev.freshet.queue.Moments;
import dev.freshet.queue.Probing;
import dev.freshet.queue.Retention;
import dev.freshet.queue.Sleep;
import dev.freshet.queue.Sparing;
import dev.freshet.queue.Turn;
import dev.freshet.run.routes.HurriedQueues;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.run.routes.Wake;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import dev.freshet.stats.JobRequests;
import dev.freshet.stats.Jobs;
import dev.freshet.stats.Refreshes;
import dev.freshet.stats.StatsFunctions;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.builder.ExpressionBuilder;

/** Makes the parts that routes name, and tells each what it needs. */
public final class Wiring {
    /** With a debounce below this, changes are looked for all the time; above it, the poll is soon enough. */
    private static final Duration SHORT_DEBOUNCE = Duration.ofSeconds(1);

    private static final Duration BACKOFF = Duration.ofSeconds(1);
    private static final Duration BACKOFF_MAX = Duration.ofMinutes(2);
    private static final int BREAKER_TAGS = 5;
    private static final Duration PROBE = Duration.ofSeconds(1);
    private static final Duration PROBE_MAX = Duration.ofSeconds(10);
    private static final Duration MANUAL_RUN = Duration.ofSeconds(30);
    private static final Duration LONG_WAIT = Duration.ofMinutes(1);
    private static final Duration LATE = Duration.ofSeconds(10);
    /** A job is queued again so long after its worker's last heartbeat; those come five times as often. */
    private static final Duration JOB_LEASE = Duration.ofSeconds(20);

    /** Of clients that come back and catch up, so many at one time. */
    private static final int REPLAYS = 3;

    private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Settings settings;
    private final String demoReceiver;

    /** @param demoReceiver the address where Freshet's own receiver stands in for a target; null: it does not */
    public Wiring(Settings settings, String demoReceiver) {
        this.settings = settings;
        this.demoReceiver = demoReceiver;
    }

    /** @param single a connection of its own each time, for what takes its time */
    public void bind(
            CamelContext context,
            Transactions transactions,
            DataSource dataSource,
            DataSource single,
            LiveRoutes liveRoutes) {
        Registry registry = context.getRegistry();
        Marking marking = new Marking();
        Duration timeout = settings.duration(Setting.TARGET_TIMEOUT);

        Replicas replicas = replicas(context, transactions);
        Lanes lanes = new Lanes(transactions, new Lanes.Terms(lease(replicas), timeout, PROBE, PROBE_MAX), replicas);
        CallQueues callQueues = new CallQueues(context, lanes, replicas);
        registry.bind("callQueues", callQueues);
        Turn turn = new Turn(
                transactions,
                marking,
                lanes,
                callQueues::add,
                settings.duration(Setting.BUCKET),
                settings.duration(Setting.DEBOUNCE));
        registry.bind("routeQueues", new HurriedQueues());
        registry.bind("turn", turn);
        Sleep sleep = new Sleep(transactions, () -> Hints.listens(context));
        registry.bind("sleep", sleep);
        Inbox inbox = new Inbox(dataSource, turn, sleep, probesFor(lanes.policies()));
        registry.bind("inbox", inbox);
        probe(context, "probe-inbox", () -> inbox.rest(settings.duration(Setting.QUEUE_PROBE)), sleep);
        registry.bind("moments", moments(context, transactions));
        Retention retention = new Retention(
                transactions, settings.duration(Setting.QUEUE_RETENTION), settings.duration(Setting.RETRY_FOR));
        registry.bind("retention", retention);
        registry.bind("manualRun", new ManualRun(turn, retention, transactions, MANUAL_RUN));

        Settlement settlement = new Settlement(
                transactions,
                marking,
                new Settlement.Patience(
                        settings.duration(Setting.RETRY_FOR), BACKOFF, BACKOFF_MAX, BREAKER_TAGS, PROBE));
        registry.bind("lanes", lanes);
        HostNames hostNames = new HostNames(InetAddress::getAllByName);
        registry.bind("hostNames", hostNames);
        registry.bind("targets", new Targets(context, transactions, lanes, hostNames));
        TargetRoutes targetRoutes = new TargetRoutes();
        registry.bind("targetRoutes", targetRoutes);
        registry.bind("targetFiles", new TargetFiles());
        registry.bind("spelling", new Spellings());
        registry.bind("answer", new Answer());
        registry.bind("awsSignature", new AwsSignature(Clock.systemUTC()));
        registry.bind("edgeGrid", new EdgeGrid(Clock.systemUTC()));
        registry.bind("redis", new Redis(timeout));
        registry.bind("plainCall", new PlainCall());
        context.addLifecycleStrategy(targetRoutes);
        Ledger ledger = new Ledger(
                settlement,
                lanes,
                settings.duration(Setting.SETTLE),
                new Wake(context, "seda:settle?size=1&discardWhenFull=true")::now);
        Outcomes outcomes = new Outcomes(lanes, ledger, Clock.systemUTC());
        callQueues.serveCopies(outcomes);
        registry.bind("ledger", ledger);
        bindFences(context, transactions, ledger);
        registry.bind("outcomes", outcomes);
        registry.bind("tagOrTags", (Processor) Call::writeTags);
        registry.bind("beginCall", (Processor) outcomes::begin);
        registry.bind("noteDelivered", (Processor) outcomes::noteDelivered);
        registry.bind("noteAnswer", (Processor) outcomes::noteAnswer);
        registry.bind("noteFailure", (Processor) outcomes::noteFailure);
        registry.bind("targetHttp", new Deadline(timeout));
        // without a secret the tag target is off; but its route names the signature all the same
        String demoSecret = DemoReceiver.newSecret();
        Signature signature =
                new Signature(settings.text(Setting.REVALIDATION_SECRET).orElse(demoSecret), Clock.systemUTC());
        registry.bind("tagSignature", signature);
        registry.bind("tagSecret", ExpressionBuilder.constantExpression(signature.secret()));
        CachedPages demoPages = new CachedPages(transactions, demoReceiver != null, Clock.systemUTC());
        registry.bind("demoPages", demoPages);
        registry.bind("demoTables", new DemoTables(transactions));
        registry.bind("demoReceiver", new DemoReceiver(demoSecret, demoPages::invalidate, Clock.systemUTC()));
        // it stands behind the gate like everything else; no other target is ever shown this key
        registry.bind("demoKey", new BearerKey(demoReceiver == null ? null : demoKey()));
        registry.bind("batchKey", new BearerKey(demoReceiver == null ? secret(Setting.API_KEY) : demoKey()));
        registry.bind("deadLetters", new DeadLetters(transactions));

        AuditLog auditLog = new AuditLog(transactions, settings.duration(Setting.AUDIT_RETENTION));
        registry.bind("auditLog", auditLog);
        Calls calls = new Calls(meters);
        registry.bind("calls", calls);
        registry.bind("callLog", new CallLog());
        registry.bind("failedAttempts", new FailedAttempts(context, calls::countFailedAttempt));
        registry.bind("troubles", new Troubles());

        JobMeters jobMeters = new JobMeters(meters);
        StatsFunctions functions =
                new StatsFunctions(transactions, single, jobMeters, settings.duration(Setting.STATS_TIMEOUT));
        registry.bind("stats", functions);
        registry.bind(
                "statsThreads", context.getExecutorServiceManager().newCachedThreadPool(functions, "stats-function"));
        registry.bind(
                "jobs",
                new Jobs(
                        transactions,
                        functions,
                        jobMeters,
                        new Jobs.Terms(
                                settings.text(Setting.WORKER_ID).orElseThrow(),
                                settings.text(Setting.QUEUE_NAME).orElseThrow(),
                                settings.number(Setting.STATS_JOBS),
                                JOB_LEASE,
                                BACKOFF),
                        hasBatchTarget(),
                        replicas));
        registry.bind("refreshes", new Refreshes());
        registry.bind("jobRequests", new JobRequests(transactions, settings));

        Tallies tallies = new Tallies(transactions);
        Entries entries = new Entries(transactions, tallies, settings.duration(Setting.CACHE_EXPIRED));
        registry.bind("tallies", tallies);
        registry.bind("entries", entries);
        Invalidations invalidations = new Invalidations(transactions, entries, new Patterns(), tallies);
        registry.bind("invalidations", invalidations);
        registry.bind("invalidateKeys", new InvalidationStep(invalidations::byKeys));
        registry.bind("invalidatePattern", new InvalidationStep(invalidations::byPattern));
        registry.bind("entityRules", new EntityRules(transactions));
        registry.bind("notifyTopic", new Topic(dataSource));
        registry.bind("publications", new Publications(context, dataSource, tallies));
        registry.bind("auditPages", new AuditPages(transactions));
        registry.bind("auditChain", new AuditChain(transactions, () -> lanes.isBusy()));

        Observation observation = new Observation(transactions);
        registry.bind("observation", observation);
        registry.bind("metricsRegistry", meters);
        Meters named = new Meters(meters)
                .of(observation)
                .of(observation, calls)
                .of(turn.coalescing(), calls)
                .of(liveRoutes);
        registry.bind("databaseCheck", new DatabaseCheck(dataSource));
        registry.bind(
                "queueCheck",
                new QueueCheck(observation, settings.duration(Setting.DEBOUNCE).plus(LONG_WAIT)));
        registry.bind("targetsCheck", new TargetsCheck(observation));
        registry.bind("publicHealth", new PublicHealth());

        Failures failures = new Failures();
        RouteCounts routeCounts = new RouteCounts(context, meters, failures::add);
        registry.bind("routeCounts", routeCounts);
        context.addLifecycleStrategy(routeCounts);
        RouteControl routeControl = new RouteControl(context, auditLog, liveRoutes, routeCounts, failures);
        Freshness freshness = new Freshness(meters, observation::pendingTags);
        registry.bind("freshness", freshness);
        registry.bind("routeControl", routeControl);
        registry.bind("dryRun", new DryRun(transactions));
        Overview overview = new Overview(transactions, freshness, named, routeControl, liveRoutes, instance());
        overview.alsoLooksAt(replicas);
        registry.bind("overview", overview);
        bindLive(context, transactions, sleep);

        registry.bind("requests", new Requests());
        registry.bind("problems", new Problems());
        registry.bind("quietHeaders", new QuietHeaders());
    }

    /** Whether changes have to be looked for all the time: some may be ripe before the next poll. */
    private BooleanSupplier probesFor(Policies policies) {
        boolean always = settings.duration(Setting.DEBOUNCE).compareTo(SHORT_DEBOUNCE) < 0;
        return () -> always || policies.hasSoonerThan(SHORT_DEBOUNCE);
    }

    /**
     * Who asks whether changes are out waits without a thread of its own, and hears of what is settled here at once.
     */
    private void bindFences(CamelContext context, Transactions transactions, Ledger ledger) {
        Fences fences =
                new Fences(transactions, context.getExecutorServiceManager().newFixedThreadPool(ledger, "fences", 1));
        ledger.afterSettling(fences::somethingHappened);
        new Meters(meters).of(fences);
        context.getRegistry().bind("fences", fences);
        context.getRegistry().bind("freshAnswer", new FreshAnswer(fences));
    }

    private Replicas replicas(CamelContext context, Transactions transactions) {
        ProducerTemplate audit = context.createProducerTemplate();
        Replicas replicas = new Replicas(
                settings.text(Setting.REPLICAS).orElse(""),
                settings.duration(Setting.REPLICA_WAIT),
                transactions,
                (name, passedOver, why) -> audit.sendBody(
                        "seda:audit?discardWhenFull=true&size=10000", AuditLog.Row.ofReplica(name, passedOver, why)));
        context.getRegistry().bind("replicas", replicas);
        if (replicas.areThere()) {
            context.getRegistry().bind("replicasCheck", new ReplicasCheck(replicas));
            ReplicaMeters.of(replicas, meters);
        }
        return replicas;
    }

    /** What is claimed may have to wait for read replicas before its call can begin. */
    private Duration lease(Replicas replicas) {
        Duration lease = settings.duration(Setting.LEASE);
        return replicas.areThere() ? lease.plus(settings.duration(Setting.REPLICA_WAIT)) : lease;
    }

    private void probe(CamelContext context, String route, Supplier<Duration> every, Sleep sleep) {
        Probing probing = new Probing(context, route, every, sleep);
        context.getRegistry().bind(route, probing);
        try {
            context.addStartupListener(probing);
            context.addService(probing);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Moments moments(CamelContext context, Transactions transactions) {
        Wake look = new Wake(context, "seda:look-at-clock?size=1&discardWhenFull=true");
        Wake handOver = new Wake(context, "seda:clock-struck?size=1&discardWhenFull=true");
        ScheduledExecutorService clock = context.getExecutorServiceManager().newScheduledThreadPool(look, "clock", 1);
        return new Moments(
                transactions,
                new Sparing(3, Duration.ofMillis(5)), // a second late at most while an answer takes 300 ms
                wait -> clock.schedule(look::now, wait.toNanos(), TimeUnit.NANOSECONDS),
                handOver::now);
    }

    private void bindLive(CamelContext context, Transactions transactions, Sleep sleep) {
        Registry registry = context.getRegistry();
        LiveMeters liveMeters = new LiveMeters(meters);
        Hub hub = new Hub(liveMeters);
        Relay relay = new Relay(transactions, liveMeters, settings.number(Setting.LIVE_LIMIT));
        Published published = new Published(transactions, relay, hub);
        History history = new History(transactions, settings.duration(Setting.LIVE_RETENTION));
        registry.bind("hub", hub);
        registry.bind("relay", relay);
        registry.bind("published", published);
        registry.bind("lookout", new Lookout(published, hub, sleep));
        probe(context, "probe-live", () -> settings.duration(Setting.LIVE_PROBE), sleep);
        registry.bind("history", history);
        registry.bind("broadcasts", new Broadcasts(transactions, hub));
        registry.bind(
                "stream",
                new Stream(
                        hub,
                        history,
                        liveMeters,
                        context.getExecutorServiceManager().newFixedThreadPool(hub, "live-replay", REPLAYS),
                        settings.number(Setting.LIVE_CONNECTIONS)));
        listen(context, null);
    }

    /** Live events go to browsers from now on. The first that asks the database for anything. */
    public void begin(CamelContext context) {
        try {
            context.getRegistry().findSingleByType(Published.class).begin();
        } catch (SQLException e) {
            throw new IllegalStateException("the published order of live events could not be read", e);
        }
    }

    /** @param direct where LISTEN is possible; null: nowhere */
    void listen(CamelContext context, DatabaseUrl direct) {
        Hints hints = new Hints(context, direct);
        context.getRegistry().bind("hints", hints);
        context.getRegistry().bind("hintSource", hints.source());
        context.getRegistry().bind("serverTimeZone", new ServerTimeZone(direct == null ? null : hints.source()));
    }

    /** In front of every route, so that none can forget who may call it. */
    Gate gate(CamelContext context) {
        Keys keys = new Keys(
                secret(Setting.API_KEY),
                secret(Setting.SERVICE_ROLE_KEY),
                secret(Setting.READ_KEY),
                secret(Setting.LIVE_KEY),
                secret(Setting.ANON_KEY));
        Bind bind = Bind.at(
                settings.text(Setting.HOST).orElseThrow(),
                settings.flag(Setting.ALLOW_ANONYMOUS),
                settings.text(Setting.LIVE_ORIGINS).orElseThrow());
        ProducerTemplate audit = context.createProducerTemplate();
        RefusalReports refusals = new RefusalReports(refusal -> audit.sendBody(
                "seda:audit?discardWhenFull=true&size=10000",
                AuditLog.Row.of(
                        "refused",
                        null,
                        null,
                        refusal.client(),
                        refusal.status(),
                        refusal.method() + ' ' + refusal.path() + ": " + refusal.reason(),
                        refusal.requestId())));
        new Meters(meters).of(refusals);
        ApiRates limits = new ApiRates(
                ApiRates.DEFAULT.bodyBytes(),
                ApiRates.DEFAULT.invalidateBodyBytes(),
                new Rate(settings.number(Setting.API_RATE), System::nanoTime));
        return new Gate(keys, bind, limits, refusals);
    }

    /**
     * Changes are late when they have waited through a few polls after they could go. A change counts from the
     * beginning of its bucket: it can go when the bucket is ripe, or at once where it comes later than that.
     */
    private Overview.Instance instance() {
        String version = Wiring.class.getPackage().getImplementationVersion();
        Duration debounce = settings.duration(Setting.DEBOUNCE);
        Duration bucket = settings.duration(Setting.BUCKET);
        Duration ripe = debounce.compareTo(bucket) > 0 ? debounce : bucket;
        Duration late = ripe.plus(settings.duration(Setting.QUEUE_POLL).multipliedBy(3))
                .plus(settings.duration(Setting.TARGET_TIMEOUT))
                .plus(LATE);
        return new Overview.Instance(
                settings.text(Setting.WORKER_ID).orElseThrow(),
                version == null ? "development" : version,
                Instant.now(),
                late);
    }

    private boolean hasBatchTarget() {
        return demoReceiver != null || settings.batchTargetUrl().isPresent();
    }

    private String demoKey() {
        return settings.text(Setting.API_KEY)
                .or(() -> settings.text(Setting.SERVICE_ROLE_KEY))
                .orElse(null);
    }

    private String secret(Setting setting) {
        return settings.text(setting).orElse(null);
    }

    public Properties forRoutes() {
        Properties properties = new Properties();
        boolean tagTarget = settings.has(Setting.VERCEL_DEPLOYMENT_URL) || demoReceiver != null;
        properties.setProperty("freshet.deliver.tag-target-enabled", Boolean.toString(tagTarget));
        if (!settings.has(Setting.VERCEL_DEPLOYMENT_URL)) {
            properties.setProperty(
                    Setting.VERCEL_DEPLOYMENT_URL.key, demoReceiver == null ? "http://no-tag-target" : demoReceiver);
        }
        properties.setProperty("freshet.deliver.batch-target-enabled", Boolean.toString(hasBatchTarget()));
        properties.setProperty("freshet.deliver.batch-target-takes-queue", Boolean.toString(!tagTarget));
        if (settings.batchTargetUrl().isEmpty()) {
            properties.setProperty(
                    Setting.CACHE_INVALIDATION_URL.key,
                    demoReceiver == null ? "http://no-batch-target" : demoReceiver + "/api/internal/cache/invalidate");
        }
        properties.setProperty("freshet.stats.heartbeat-ms", Long.toString(JOB_LEASE.toMillis() / 5));
        properties.setProperty("freshet.stats.cron-enabled", Boolean.toString(settings.has(Setting.STATS_CRON)));
        if (!settings.has(Setting.STATS_CRON)) {
            properties.setProperty(Setting.STATS_CRON.key, "0 0 0 1 1 ? 2099");
        }
        properties.setProperty("freshet.queue.probe-enabled", "true"); // for route files of before
        return properties;
    }
}
