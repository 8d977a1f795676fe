package dev.freshet.settings;

/**
 * Every setting: its key in application.properties, its environment variable, its kind and range. Defaults are in
 * application.properties only.
 */
public enum Setting {
    LOG_LEVEL("freshet.run.log-level", "FRESHET_LOG_LEVEL", SettingKind.LEVEL),
    LOG_FORMAT("freshet.run.log-format", "FRESHET_LOG_FORMAT", SettingKind.FORMAT),
    CAMEL_CLI("freshet.run.camel-cli", "FRESHET_CAMEL_CLI", SettingKind.FLAG),
    DEMO("freshet.run.demo", "FRESHET_DEMO", SettingKind.FLAG),
    WORKER_ID("freshet.run.worker-id", "WORKER_ID", SettingKind.TEXT),

    DATABASE_URL("freshet.source.database-url", "DATABASE_URL", SettingKind.SECRET),
    LISTEN_URL("freshet.source.listen-url", "FRESHET_LISTEN_URL", SettingKind.SECRET),
    SUPABASE_URL("freshet.source.supabase-url", "SUPABASE_URL", SettingKind.URL),
    SUPABASE_DB_PASSWORD("freshet.source.supabase-password", "SUPABASE_DB_PASSWORD", SettingKind.SECRET),
    DATA_DIR("freshet.source.data-dir", "FRESHET_DATA_DIR", SettingKind.TEXT),
    DB_PORT("freshet.source.own-port", "FRESHET_DB_PORT", 0, 65_535),
    POOL_SIZE("freshet.source.pool-size", "FRESHET_POOL_SIZE", 2, 200),
    DATABASE_TIMEOUT("freshet.source.answer-timeout", "FRESHET_DATABASE_TIMEOUT", "5s", "1d"),
    REPLICAS("freshet.source.replicas", "FRESHET_REPLICAS", SettingKind.SECRET),
    REPLICA_WAIT("freshet.source.replica-wait", "FRESHET_REPLICA_WAIT", "100ms", "1h"),

    BUCKET("freshet.queue.bucket", "FRESHET_BUCKET", "10ms", "1d"),
    DEBOUNCE("freshet.queue.debounce", "FRESHET_DEBOUNCE", "0", "1d"),
    QUEUE_POLL("freshet.queue.poll", "FRESHET_QUEUE_POLL", "10ms", "1h"),
    QUEUE_PROBE("freshet.queue.probe", "FRESHET_QUEUE_PROBE", "5ms", "1h"),
    QUEUE_RETENTION("freshet.queue.retention", "FRESHET_QUEUE_RETENTION", "0", "3650d"),

    VERCEL_DEPLOYMENT_URL("freshet.deliver.tag-target-url", "VERCEL_DEPLOYMENT_URL", SettingKind.BASE_URLS),
    REVALIDATION_SECRET("freshet.deliver.tag-target-secret", "REVALIDATION_SECRET", SettingKind.SECRET),
    TARGET_FANOUT("freshet.deliver.target-fanout", "FRESHET_TARGET_FANOUT", SettingKind.FANOUT),
    NEXT_PUBLIC_APP_URL("freshet.deliver.app-url", "NEXT_PUBLIC_APP_URL", SettingKind.BASE_URL),
    CACHE_INVALIDATION_URL("freshet.deliver.batch-target-url", "CACHE_INVALIDATION_URL", SettingKind.URL),
    REVALIDATE_BATCH("freshet.deliver.batch-tags", "FRESHET_REVALIDATE_BATCH", 1, 10_000),
    BATCH_TARGET_TAGS("freshet.deliver.batch-target-tags", "FRESHET_BATCH_TARGET_TAGS", 1, 10_000),
    REVALIDATE_CONCURRENCY("freshet.deliver.concurrency-calls", "FRESHET_REVALIDATE_CONCURRENCY", 1, 1_000),
    REVALIDATE_RATE("freshet.deliver.rate-per-second", "FRESHET_REVALIDATE_RATE", 0, 100_000),
    TARGET_TIMEOUT("freshet.deliver.target-timeout", "FRESHET_TARGET_TIMEOUT", "10ms", "1h"),
    LEASE("freshet.deliver.lease", "FRESHET_LEASE", "100ms", "1d"),
    SETTLE("freshet.deliver.settle", "FRESHET_SETTLE", "1ms", "5s"),
    RETRY_FOR("freshet.deliver.retry-for", "FRESHET_RETRY_FOR", "0", "3650d"),
    BACKOFF("freshet.deliver.backoff", "FRESHET_BACKOFF", "10ms", "1h"),
    BACKOFF_MAX("freshet.deliver.backoff-max", "FRESHET_BACKOFF_MAX", "10ms", "1d"),
    BREAKER_TAGS("freshet.deliver.breaker-tags", "FRESHET_BREAKER_TAGS", 1, 1_000),
    BREAKER_PROBE("freshet.deliver.breaker-probe", "FRESHET_BREAKER_PROBE", "100ms", "1h"),
    BREAKER_PROBE_MAX("freshet.deliver.breaker-probe-max", "FRESHET_BREAKER_PROBE_MAX", "100ms", "1h"),

    AUDIT_RETENTION("freshet.audit.retention", "FRESHET_AUDIT_RETENTION", "1s", "36500d"),

    STATS_TIMEOUT("freshet.stats.function-timeout", "FRESHET_STATS_TIMEOUT", "100ms", "7d"),
    JOB_LEASE("freshet.stats.job-lease", "FRESHET_JOB_LEASE", "5s", "1h"),
    STATS_JOBS("freshet.stats.jobs-at-once", "FRESHET_STATS_JOBS", 1, 100),
    STATS_CRON("freshet.stats.cron", "FRESHET_STATS_CRON", SettingKind.CRON),
    QUEUE_NAME("freshet.stats.queue-name", "QUEUE_NAME", SettingKind.TEXT),
    JOBS_GLOBAL("freshet.stats.jobs-global", "USE_BG_JOBS_GLOBAL", SettingKind.FLAG),
    JOBS_ADMIN("freshet.stats.jobs-admin", "USE_BG_JOBS_ADMIN", SettingKind.FLAG),
    JOBS_CRON("freshet.stats.jobs-cron", "USE_BG_JOBS_CRON", SettingKind.FLAG),
    JOBS_MATCH("freshet.stats.jobs-match", "USE_BG_JOBS_MATCH", SettingKind.FLAG),

    CACHE_EXPIRED("freshet.cache.expired-retention", "FRESHET_CACHE_EXPIRED", "0", "3650d"),

    LIVE_POLL("freshet.live.poll", "FRESHET_LIVE_POLL", "50ms", "1h"),
    LIVE_PROBE("freshet.live.probe", "FRESHET_LIVE_PROBE", "5ms", "1h"),
    LIVE_LIMIT("freshet.live.limit-per-second", "FRESHET_LIVE_LIMIT", 0, 100_000),
    LIVE_RETENTION("freshet.live.retention", "FRESHET_LIVE_RETENTION", "1s", "3650d"),
    LIVE_CONNECTIONS("freshet.live.connections", "FRESHET_LIVE_CONNECTIONS", 1, 1_000_000),
    LIVE_ORIGINS("freshet.live.origins", "FRESHET_LIVE_ORIGINS", SettingKind.ORIGINS),
    LIVE_KEY("freshet.live.key", "FRESHET_LIVE_KEY", SettingKind.SECRET),

    HOST("freshet.api.host", "FRESHET_HOST", SettingKind.TEXT),
    PORT("freshet.api.port", "FRESHET_PORT", 0, 65_535),
    API_KEY("freshet.api.key", "INTERNAL_API_KEY", SettingKind.SECRET),
    SERVICE_ROLE_KEY("freshet.api.service-role-key", "SUPABASE_SERVICE_ROLE_KEY", SettingKind.SECRET),
    ANON_KEY("freshet.api.anon-key", "SUPABASE_ANON_KEY", SettingKind.SECRET),
    READ_KEY("freshet.api.read-key", "FRESHET_READ_KEY", SettingKind.SECRET),
    API_RATE("freshet.api.rate-per-second", "FRESHET_API_RATE", 0, 1_000_000),
    ALLOW_ANONYMOUS("freshet.api.allow-anonymous", "FRESHET_ALLOW_ANONYMOUS", SettingKind.FLAG);

    public final String key;
    public final String environment;
    final SettingKind kind;
    /** For numbers and durations; both bounds are inclusive. */
    final String least;

    final String most;

    Setting(String key, String environment, SettingKind kind) {
        this(key, environment, kind, null, null);
    }

    Setting(String key, String environment, int least, int most) {
        this(key, environment, SettingKind.NUMBER, Integer.toString(least), Integer.toString(most));
    }

    Setting(String key, String environment, String least, String most) {
        this(key, environment, SettingKind.DURATION, least, most);
    }

    Setting(String key, String environment, SettingKind kind, String least, String most) {
        this.key = key;
        this.environment = environment;
        this.kind = kind;
        this.least = least;
        this.most = most;
    }

    /**
     * Returns the value in the normal form of its kind.
     *
     * @throws CannotStart names the setting, what is wrong, and what to write instead
     */
    String normal(String value) {
        try {
            return kind.normal(value, least, most);
        } catch (IllegalArgumentException e) {
            throw new CannotStart(environment + " is \"" + kind.shown(value) + "\": " + e.getMessage());
        }
    }
}
