package dev.freshet.settings;

/**
 * Every setting: its key in application.properties, its environment variable, and what is a good value. Defaults stand
 * in application.properties only.
 */
public enum Setting {
    LOG_LEVEL("freshet.run.log-level", "FRESHET_LOG_LEVEL", Kind.LEVEL),
    LOG_FORMAT("freshet.run.log-format", "FRESHET_LOG_FORMAT", Kind.FORMAT),
    DEMO("freshet.run.demo", "FRESHET_DEMO", Kind.FLAG),
    WORKER_ID("freshet.run.worker-id", "WORKER_ID", Kind.TEXT),

    DATABASE_URL("freshet.source.database-url", "DATABASE_URL", Kind.SECRET),
    LISTEN_URL("freshet.source.listen-url", "FRESHET_LISTEN_URL", Kind.SECRET),
    SUPABASE_URL("freshet.source.supabase-url", "SUPABASE_URL", Kind.URL),
    SUPABASE_DB_PASSWORD("freshet.source.supabase-password", "SUPABASE_DB_PASSWORD", Kind.SECRET),
    DATA_DIR("freshet.source.data-dir", "FRESHET_DATA_DIR", Kind.TEXT),
    DB_PORT("freshet.source.own-port", "FRESHET_DB_PORT", 0, 65_535),
    POOL_SIZE("freshet.source.pool-size", "FRESHET_POOL_SIZE", 2, 200),
    DATABASE_TIMEOUT("freshet.source.answer-timeout", "FRESHET_DATABASE_TIMEOUT", "5s", "1d"),
    REPLICAS("freshet.source.replicas", "FRESHET_REPLICAS", Kind.SECRET),
    REPLICA_WAIT("freshet.source.replica-wait", "FRESHET_REPLICA_WAIT", "100ms", "1h"),

    BUCKET("freshet.queue.bucket", "FRESHET_BUCKET", "10ms", "1d"),
    DEBOUNCE("freshet.queue.debounce", "FRESHET_DEBOUNCE", "0", "1d"),
    QUEUE_POLL("freshet.queue.poll", "FRESHET_QUEUE_POLL", "10ms", "1h"),
    QUEUE_PROBE("freshet.queue.probe", "FRESHET_QUEUE_PROBE", "5ms", "1h"),
    QUEUE_RETENTION("freshet.queue.retention", "FRESHET_QUEUE_RETENTION", "0", "3650d"),

    VERCEL_DEPLOYMENT_URL("freshet.deliver.tag-target-url", "VERCEL_DEPLOYMENT_URL", Kind.URLS),
    REVALIDATION_SECRET("freshet.deliver.tag-target-secret", "REVALIDATION_SECRET", Kind.SECRET),
    TARGET_FANOUT("freshet.deliver.target-fanout", "FRESHET_TARGET_FANOUT", Kind.FANOUT),
    NEXT_PUBLIC_APP_URL("freshet.deliver.app-url", "NEXT_PUBLIC_APP_URL", Kind.URL),
    CACHE_INVALIDATION_URL("freshet.deliver.batch-target-url", "CACHE_INVALIDATION_URL", Kind.URL),
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
    STATS_CRON("freshet.stats.cron", "FRESHET_STATS_CRON", Kind.CRON),
    QUEUE_NAME("freshet.stats.queue-name", "QUEUE_NAME", Kind.TEXT),
    JOBS_GLOBAL("freshet.stats.jobs-global", "USE_BG_JOBS_GLOBAL", Kind.FLAG),
    JOBS_ADMIN("freshet.stats.jobs-admin", "USE_BG_JOBS_ADMIN", Kind.FLAG),
    JOBS_CRON("freshet.stats.jobs-cron", "USE_BG_JOBS_CRON", Kind.FLAG),
    JOBS_MATCH("freshet.stats.jobs-match", "USE_BG_JOBS_MATCH", Kind.FLAG),

    CACHE_EXPIRED("freshet.cache.expired-retention", "FRESHET_CACHE_EXPIRED", "0", "3650d"),

    LIVE_POLL("freshet.live.poll", "FRESHET_LIVE_POLL", "50ms", "1h"),
    LIVE_PROBE("freshet.live.probe", "FRESHET_LIVE_PROBE", "5ms", "1h"),
    LIVE_LIMIT("freshet.live.limit-per-second", "FRESHET_LIVE_LIMIT", 0, 100_000),
    LIVE_RETENTION("freshet.live.retention", "FRESHET_LIVE_RETENTION", "1s", "3650d"),
    LIVE_CONNECTIONS("freshet.live.connections", "FRESHET_LIVE_CONNECTIONS", 1, 1_000_000),
    LIVE_ORIGINS("freshet.live.origins", "FRESHET_LIVE_ORIGINS", Kind.TEXT),
    LIVE_KEY("freshet.live.key", "FRESHET_LIVE_KEY", Kind.SECRET),

    HOST("freshet.api.host", "FRESHET_HOST", Kind.TEXT),
    PORT("freshet.api.port", "FRESHET_PORT", 0, 65_535),
    API_KEY("freshet.api.key", "INTERNAL_API_KEY", Kind.SECRET),
    SERVICE_ROLE_KEY("freshet.api.service-role-key", "SUPABASE_SERVICE_ROLE_KEY", Kind.SECRET),
    ANON_KEY("freshet.api.anon-key", "SUPABASE_ANON_KEY", Kind.SECRET),
    READ_KEY("freshet.api.read-key", "FRESHET_READ_KEY", Kind.SECRET),
    API_RATE("freshet.api.rate-per-second", "FRESHET_API_RATE", 0, 1_000_000),
    ALLOW_ANONYMOUS("freshet.api.allow-anonymous", "FRESHET_ALLOW_ANONYMOUS", Kind.FLAG);

    enum Kind {
        TEXT,
        SECRET,
        FLAG,
        URL,
        URLS,
        FANOUT,
        LEVEL,
        FORMAT,
        CRON,
        NUMBER,
        DURATION
    }

    public final String key;
    public final String environment;
    final Kind kind;
    /** Both included; of numbers and durations. */
    final String least;

    final String most;

    Setting(String key, String environment, Kind kind) {
        this(key, environment, kind, null, null);
    }

    Setting(String key, String environment, int least, int most) {
        this(key, environment, Kind.NUMBER, Integer.toString(least), Integer.toString(most));
    }

    Setting(String key, String environment, String least, String most) {
        this(key, environment, Kind.DURATION, least, most);
    }

    Setting(String key, String environment, Kind kind, String least, String most) {
        this.key = key;
        this.environment = environment;
        this.kind = kind;
        this.least = least;
        this.most = most;
    }

    /**
     * The value in its one normal form: milliseconds for durations, true or false for flags, no slash at the end of a
     * URL.
     *
     * @throws Refusal names the setting, what is wrong, and what to write
     */
    String normal(String value) {
        try {
            return switch (kind) {
                case TEXT, SECRET -> value;
                case LEVEL ->
                    oneOf(value.toUpperCase(java.util.Locale.ROOT), "ERROR", "WARN", "INFO", "DEBUG", "TRACE");
                case FORMAT -> oneOf(value.toLowerCase(java.util.Locale.ROOT), "text", "json");
                case FLAG -> flag(value.toLowerCase(java.util.Locale.ROOT));
                case URL -> url(value);
                case URLS -> Addresses.normal(value, Setting::url);
                case FANOUT -> fanout(value.toLowerCase(java.util.Locale.ROOT));
                case CRON -> cron(value);
                case NUMBER -> number(value);
                case DURATION -> duration(value);
            };
        } catch (IllegalArgumentException e) {
            throw new CannotStart(environment + " is \"" + value + "\": " + e.getMessage());
        }
    }

    private static String oneOf(String value, String... allowed) {
        if (!java.util.List.of(allowed).contains(value)) {
            throw new IllegalArgumentException("write " + String.join(", ", allowed));
        }
        return value;
    }

    private static String flag(String value) {
        return switch (value) {
            case "true", "1", "yes", "on" -> "true";
            case "false", "0", "no", "off" -> "false";
            default -> throw new IllegalArgumentException("write true or false");
        };
    }

    private static String url(String value) {
        try {
            java.net.URI uri = new java.net.URI(value);
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (web && uri.getHost() != null && uri.getPort() <= 65_535) {
                return value.replaceAll("/+$", "");
            }
        } catch (java.net.URISyntaxException e) {
            // said below
        }
        throw new IllegalArgumentException("not a web address; write it in full, such as https://www.example.org");
    }

    private static String fanout(String value) {
        return switch (value) {
            case "dns" -> "dns";
            case "none", "off", "false", "0", "no" -> "none";
            default ->
                throw new IllegalArgumentException(
                        "write dns (each host name of a target stands for all of its" + " addresses) or off");
        };
    }

    private static String cron(String value) {
        try {
            org.quartz.CronExpression.validateExpression(value);
            return value;
        } catch (java.text.ParseException e) {
            throw new IllegalArgumentException(
                    e.getMessage() + "; write a Quartz cron expression, such as 0 0 3 * * ? for three at night");
        }
    }

    private String number(String value) {
        try {
            int number = Integer.parseInt(value);
            if (number >= Integer.parseInt(least) && number <= Integer.parseInt(most)) {
                return Integer.toString(number);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException("write a whole number from " + least + " to " + most);
    }

    private String duration(String value) {
        long millis = Durations.parse(value).toMillis();
        if (millis < Durations.parse(least).toMillis()
                || millis > Durations.parse(most).toMillis()) {
            throw new IllegalArgumentException("write a duration from " + least + " to " + most);
        }
        return Long.toString(millis);
    }
}
