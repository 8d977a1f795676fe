package dev.freshet.settings;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Base64;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Function;

/** All settings, checked once at the start, so that the values can be relied on afterwards. */
public final class Settings {
    private final Map<Setting, String> values = new EnumMap<>(Setting.class);

    /**
     * @param written the text that is given for a setting, from whichever source; null or blank if none is
     * @throws CannotStart at the first invalid one
     */
    public Settings(Function<Setting, String> written) {
        for (Setting setting : Setting.values()) {
            String value = written.apply(setting);
            if (value != null && !value.isBlank()) {
                values.put(setting, setting.normal(value.trim()));
            }
        }
        values.computeIfAbsent(
                Setting.WORKER_ID,
                unset -> hostName() + "-" + ProcessHandle.current().pid());
        checkRevalidationSecret();
        checkPairs();
        notLonger(Setting.BACKOFF, Setting.BACKOFF_MAX);
        notLonger(Setting.BREAKER_PROBE, Setting.BREAKER_PROBE_MAX);
        checkLease();
        checkWhoMayCall();
    }

    public Optional<String> text(Setting setting) {
        return Optional.ofNullable(values.get(setting));
    }

    public boolean has(Setting setting) {
        return values.containsKey(setting);
    }

    public int number(Setting setting) {
        return Integer.parseInt(values.get(setting));
    }

    public Duration duration(Setting setting) {
        return Duration.ofMillis(Long.parseLong(values.get(setting)));
    }

    public boolean flag(Setting setting) {
        return Boolean.parseBoolean(values.get(setting));
    }

    /** Whether the API requires a key at all. */
    public boolean hasKey() {
        return hasFullKey() || has(Setting.READ_KEY);
    }

    private boolean hasFullKey() {
        return has(Setting.API_KEY) || has(Setting.SERVICE_ROLE_KEY);
    }

    /** What is permitted, but may not be what the operator meant. */
    public Optional<String> warning() {
        return has(Setting.READ_KEY) && !hasFullKey()
                ? Optional.of("FRESHET_READ_KEY is set but INTERNAL_API_KEY is not: nobody can make changes over HTTP"
                        + " until INTERNAL_API_KEY is set")
                : Optional.empty();
    }

    /** The batch target's URL, if there is one. */
    public Optional<String> batchTargetUrl() {
        return text(Setting.CACHE_INVALIDATION_URL)
                .or(() -> text(Setting.NEXT_PUBLIC_APP_URL).map(url -> url + "/api/internal/cache/invalidate"));
    }

    /** Whether there is any target for the queue's tags. */
    public boolean hasTarget() {
        return has(Setting.VERCEL_DEPLOYMENT_URL) || batchTargetUrl().isPresent();
    }

    /**
     * The properties for routes: every key, empty if it is not set, and for a duration also {@code key-ms} and
     * {@code key-seconds}. Secrets are not included.
     */
    public Properties forRoutes() {
        Properties properties = new Properties();
        for (Setting setting : Setting.values()) {
            if (setting.kind == SettingKind.SECRET) {
                continue;
            }
            String value = values.getOrDefault(setting, "");
            properties.setProperty(setting.key, value);
            if (setting.kind == SettingKind.DURATION) {
                properties.setProperty(setting.key + "-ms", value);
                properties.setProperty(setting.key + "-seconds", Double.toString(Long.parseLong(value) / 1000.0));
            }
        }
        batchTargetUrl().ifPresent(url -> properties.setProperty(Setting.CACHE_INVALIDATION_URL.key, url));
        return properties;
    }

    private void checkPairs() {
        bothOrNeither(Setting.VERCEL_DEPLOYMENT_URL, Setting.REVALIDATION_SECRET);
        if (has(Setting.SUPABASE_URL) && !has(Setting.SUPABASE_DB_PASSWORD) && !has(Setting.DATABASE_URL)) {
            throw new CannotStart("SUPABASE_URL alone does not say how to reach the database: set SUPABASE_DB_PASSWORD "
                    + "(Supabase: Project Settings, Database), or the whole address as DATABASE_URL");
        }
    }

    /** In the format of Standard Webhooks the secret is a base64 key. */
    private void checkRevalidationSecret() {
        String secret = text(Setting.REVALIDATION_SECRET).orElse("");
        if (secret.startsWith("whsec_") && !isBase64(secret.substring("whsec_".length()))) {
            throw new CannotStart("REVALIDATION_SECRET begins with whsec_, but no key in base64 follows: write it as"
                    + " your receiver has it, or a secret of your own that does not begin so");
        }
    }

    private static boolean isBase64(String text) {
        try {
            return Base64.getDecoder().decode(text).length > 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void bothOrNeither(Setting one, Setting other) {
        if (has(one) != has(other)) {
            Setting set = has(one) ? one : other;
            Setting unset = has(one) ? other : one;
            throw new CannotStart(
                    set.environment + " is set but " + unset.environment + " is not: set both or neither");
        }
    }

    /** A pause that grows cannot begin above the longest. */
    private void notLonger(Setting first, Setting longest) {
        if (duration(first).compareTo(duration(longest)) > 0) {
            throw new CannotStart(first.environment + " (" + Durations.seconds(duration(first)) + "s) is longer than "
                    + longest.environment + " (" + Durations.seconds(duration(longest)) + "s): write a shorter "
                    + first.environment + " or a longer " + longest.environment);
        }
    }

    /** A call that outlasts its lease would be made twice. A route tries twice, with a pause of up to a second. */
    private void checkLease() {
        Duration longest = duration(Setting.TARGET_TIMEOUT).multipliedBy(2).plusSeconds(1);
        if (longest.compareTo(duration(Setting.LEASE)) >= 0) {
            throw new CannotStart(
                    "FRESHET_LEASE is too short for FRESHET_TARGET_TIMEOUT: two tries and the pause between them take"
                            + " up to "
                            + longest.toMillis()
                            + "ms; set FRESHET_LEASE above that, or a shorter FRESHET_TARGET_TIMEOUT");
        }
    }

    private void checkWhoMayCall() {
        String host = values.get(Setting.HOST);
        boolean loopback;
        try {
            loopback = InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new CannotStart("FRESHET_HOST is \"" + host
                    + "\": no address of this machine; write 127.0.0.1, or 0.0.0.0 for all of them");
        }
        if (!loopback && !hasKey() && !flag(Setting.ALLOW_ANONYMOUS)) {
            throw new CannotStart("FRESHET_HOST is \"" + host
                    + "\" but no key is set, so that anybody could call: set INTERNAL_API_KEY, or "
                    + "FRESHET_HOST=127.0.0.1, or FRESHET_ALLOW_ANONYMOUS=true if the network protects it");
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "freshet";
        }
    }
}
