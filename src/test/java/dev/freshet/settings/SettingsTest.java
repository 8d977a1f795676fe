package dev.freshet.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static Settings with(String... environment) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < environment.length; i += 2) {
            values.put(environment[i], environment[i + 1]);
        }
        return new Settings(new SettingSources(values::get, key -> null));
    }

    private static String refusal(String... environment) {
        return assertThrows(CannotStart.class, () -> with(environment)).getMessage();
    }

    @ParameterizedTest
    @CsvSource({
        "500ms,500",
        "5s,5000",
        "5,5000",
        "0.5,500",
        "1.5s,1500",
        "10m,600000",
        "2min,120000",
        "1h,3600000",
        "90d,7776000000",
        "0,0",
        "' 7 s ',7000"
    })
    void a_duration_has_a_unit_or_is_seconds(String text, long millis) {
        assertEquals(Duration.ofMillis(millis), Durations.parse(text));
    }

    @ParameterizedTest
    @CsvSource({"''", "s", "-5s", "5 parsecs", "5s5s", "1e3", "0x10", "999999999999d"})
    void any_other_text_is_not_a_duration(String text) {
        assertThrows(IllegalArgumentException.class, () -> Durations.parse(text));
    }

    @Test
    void defaults_are_those_of_the_packed_file() {
        Settings settings = with();
        assertEquals(Duration.ofSeconds(5), settings.duration(Setting.BUCKET));
        assertEquals(Duration.ofDays(90), settings.duration(Setting.AUDIT_RETENTION));
        assertEquals(4000, settings.number(Setting.PORT));
        assertEquals("stats-update-queue", settings.text(Setting.QUEUE_NAME).orElseThrow());
        assertTrue(settings.flag(Setting.JOBS_CRON));
        assertFalse(settings.has(Setting.DATABASE_URL));
        assertFalse(settings.hasKey());
        assertTrue(settings.text(Setting.WORKER_ID)
                .orElseThrow()
                .endsWith("-" + ProcessHandle.current().pid()));
    }

    @Test
    void the_environment_overrides_the_file_unless_the_variable_is_empty() {
        Map<String, String> environment = Map.of("FRESHET_BUCKET", "2s", "FRESHET_DEBOUNCE", "");
        Map<String, String> file =
                Map.of("freshet.queue.bucket", "3s", "freshet.queue.debounce", "4s", "freshet.queue.poll", "");
        Settings settings = new Settings(new SettingSources(environment::get, file::get));
        assertEquals(Duration.ofSeconds(2), settings.duration(Setting.BUCKET));
        assertEquals(Duration.ofSeconds(4), settings.duration(Setting.DEBOUNCE));
        assertEquals(Duration.ofSeconds(1), settings.duration(Setting.QUEUE_POLL));
    }

    @Test
    void routes_get_milliseconds_and_no_secrets() {
        Properties properties = with(
                        "FRESHET_QUEUE_POLL",
                        "1500ms",
                        "INTERNAL_API_KEY",
                        "s3cret",
                        "NEXT_PUBLIC_APP_URL",
                        "https://a.example/")
                .forRoutes();
        assertEquals("1500", properties.getProperty("freshet.queue.poll-ms"));
        assertEquals("1.5", properties.getProperty("freshet.queue.poll-seconds"));
        assertEquals(
                "https://a.example/api/internal/cache/invalidate",
                properties.getProperty("freshet.deliver.batch-target-url"));
        assertFalse(properties.containsValue("s3cret"));
    }

    @Test
    void routes_get_an_empty_text_for_what_is_not_set() {
        Properties properties = with().forRoutes();
        assertEquals("", properties.getProperty("freshet.deliver.app-url"));
        assertFalse(properties.containsKey("freshet.api.key"), "a secret");
    }

    @Test
    void a_first_pause_may_be_as_long_as_the_longest() {
        assertEquals(
                Duration.ofSeconds(5),
                with("FRESHET_BACKOFF", "5s", "FRESHET_BACKOFF_MAX", "5s").duration(Setting.BACKOFF));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FRESHET_BUCKET | 5 parsecs | FRESHET_BUCKET is \"5 parsecs\": not a duration; write",
                "FRESHET_BUCKET | 0 | FRESHET_BUCKET is \"0\": write a duration from 10ms to 1d",
                "FRESHET_PORT | 70000 | FRESHET_PORT is \"70000\": write a whole number from 0 to 65535",
                "FRESHET_PORT | http | FRESHET_PORT is \"http\": write a whole number",
                "USE_BG_JOBS_CRON | maybe | USE_BG_JOBS_CRON is \"maybe\": write true or false",
                "FRESHET_LOG_LEVEL | LOUD | FRESHET_LOG_LEVEL is \"LOUD\": write ERROR, WARN, INFO",
                "NEXT_PUBLIC_APP_URL | example.org | NEXT_PUBLIC_APP_URL is \"example.org\": not a web address",
                "FRESHET_HOST | no.such.host.invalid | FRESHET_HOST is \"no.such.host.invalid\"",
                "FRESHET_HOST | 0.0.0.0 | set INTERNAL_API_KEY",
                "FRESHET_TARGET_TIMEOUT | 15s | FRESHET_LEASE is too short for FRESHET_TARGET_TIMEOUT",
                "FRESHET_BACKOFF | 3m | FRESHET_BACKOFF (180s) is longer than FRESHET_BACKOFF_MAX (120s)",
                "FRESHET_BACKOFF_MAX | 500ms | FRESHET_BACKOFF (1s) is longer than FRESHET_BACKOFF_MAX (0.5s)",
                "FRESHET_BREAKER_PROBE | 1m | FRESHET_BREAKER_PROBE (60s) is longer than FRESHET_BREAKER_PROBE_MAX",
                "VERCEL_DEPLOYMENT_URL | https://a.example | VERCEL_DEPLOYMENT_URL is set but REVALIDATION_SECRET is"
                        + " not: set both or neither",
                "VERCEL_DEPLOYMENT_URL | http://a:1,,http://b:2 | address 2 of 3 is empty: write addresses with one"
                        + " comma",
                "VERCEL_DEPLOYMENT_URL | http://a:1, | address 2 of 2 is empty",
                "VERCEL_DEPLOYMENT_URL | http://a:1,b:2 | address 2 of 2 is \"b:2\": not a web address; write it in"
                        + " full",
                "VERCEL_DEPLOYMENT_URL | http://a:1,b | address 2 of 2 is \"b\": not a web address",
                "VERCEL_DEPLOYMENT_URL | http://a:1;http://b:2 | not a web address",
                "VERCEL_DEPLOYMENT_URL | http://a:1 http://b:2 | not a web address",
                "VERCEL_DEPLOYMENT_URL | http://a:1,redis://b:2 | address 2 of 2 is \"redis://b:2\": not a web address",
                "VERCEL_DEPLOYMENT_URL | http://a,https://b,HTTP://A:80/ | address 3 of 3 is HTTP://A:80 and so is"
                        + " another",
                "VERCEL_DEPLOYMENT_URL | http://a/?bypass=s3cret | is \"http://a/?…\": Freshet appends a path to it",
                "VERCEL_DEPLOYMENT_URL | http://a/# | is \"http://a/#…\": Freshet appends a path to it",
                "VERCEL_DEPLOYMENT_URL|http://b,http://a?x=s3cret|address 2 of 2 is \"http://a?…\": Freshet appends a",
                "VERCEL_DEPLOYMENT_URL|http://a,http://b?x=^s3cret|address 2 of 2 is \"http://b?…\": not a web address",
                "NEXT_PUBLIC_APP_URL|https://a.example/app?bypass=s3cret|\"https://a.example/app?…\": Freshet appends",
                "CACHE_INVALIDATION_URL | http://a:1,http://b:2 | is \"http://a:1,http://b:2\": it takes one address",
                "CACHE_INVALIDATION_URL | http://a/x?k=s3cret,HTTPS://b/y | is \"http://a/x?…\": it takes one address",
                "CACHE_INVALIDATION_URL | http://a/x, http://b/y | it takes one address",
                "FRESHET_LIVE_ORIGINS | not an origin | FRESHET_LIVE_ORIGINS is \"not an origin\": not is no origin",
                "FRESHET_LIVE_ORIGINS | https://a.example,b.example | b.example is no origin; write scheme://host",
                "FRESHET_LIVE_ORIGINS | https://a.example/shop | https://a.example/shop is no origin",
                "FRESHET_LIVE_ORIGINS | https://ann:s3cret@a.example | https://…@a.example is no origin",
                "FRESHET_LIVE_ORIGINS | https://*.a.example | https://*.a.example is no origin",
                "FRESHET_LIVE_ORIGINS | https://a.example:70000 | https://a.example:70000 is no origin",
                "FRESHET_TARGET_FANOUT | srv | FRESHET_TARGET_FANOUT is \"srv\": write dns",
                "REVALIDATION_SECRET | s3cret | REVALIDATION_SECRET is set but VERCEL_DEPLOYMENT_URL is not",
                "REVALIDATION_SECRET | whsec_%%%s3cret | REVALIDATION_SECRET begins with whsec_, but no key in base64",
                "REVALIDATION_SECRET | whsec_ | REVALIDATION_SECRET begins with whsec_, but no key in base64",
                "NEXT_PUBLIC_APP_URL | http://ann:s3cret@a:1 | is \"http://…@a:1\": a name and password before an @",
                "VERCEL_DEPLOYMENT_URL | http://a,http://ann:s3cret@b | a name and password before an @",
                "SUPABASE_URL | https://abc.supabase.co | SUPABASE_DB_PASSWORD"
            })
    void a_bad_value_is_refused_with_its_setting_and_what_to_write(String name, String value, String said) {
        String message = refusal(name, value);
        assertTrue(message.contains(said), message);
        assertFalse(message.contains("\n"), message);
        assertFalse(message.contains("s3cret"), message);
    }

    @Test
    void an_address_that_is_called_as_it_is_may_have_a_query() {
        String url = "https://a.example/hook?token=a,b&bypass=1";
        assertEquals(url, with("CACHE_INVALIDATION_URL", url).batchTargetUrl().orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "none",
                "None",
                "https://a.example",
                "https://a.example, http://localhost:3000",
                "https://A.example/ capacitor://localhost",
                "http://[::1]:8080,http://127.0.0.1"
            })
    void live_origins_are_those_that_browsers_send(String origins) {
        assertEquals(
                origins,
                with("FRESHET_LIVE_ORIGINS", origins).text(Setting.LIVE_ORIGINS).orElseThrow());
    }

    @Test
    void a_public_address_needs_a_key_or_an_explicit_waiver() {
        assertTrue(with("FRESHET_HOST", "0.0.0.0", "INTERNAL_API_KEY", "k").hasKey());
        assertTrue(with("FRESHET_HOST", "0.0.0.0", "SUPABASE_SERVICE_ROLE_KEY", "k")
                .hasKey());
        assertTrue(with("FRESHET_HOST", "0.0.0.0", "FRESHET_READ_KEY", "k").hasKey());
        assertFalse(with("FRESHET_HOST", "0.0.0.0", "FRESHET_ALLOW_ANONYMOUS", "true")
                .hasKey());
    }

    @Test
    void a_read_key_alone_is_permitted_with_a_warning_that_nobody_can_make_changes() {
        assertTrue(with("FRESHET_READ_KEY", "k")
                .warning()
                .orElseThrow()
                .contains("nobody can make changes over HTTP until INTERNAL_API_KEY is set"));
        assertTrue(with().warning().isEmpty());
        assertTrue(with("FRESHET_READ_KEY", "k", "SUPABASE_SERVICE_ROLE_KEY", "f")
                .warning()
                .isEmpty());
    }

    @Test
    void every_setting_is_in_the_file_with_its_variable_and_vice_versa() throws IOException {
        List<String> declared = Files.readAllLines(Path.of("application.properties")).stream()
                .filter(line -> line.startsWith("freshet."))
                .map(line -> line.replaceAll("=\\{\\{env:(\\w+):.*", " $1"))
                .sorted()
                .toList();
        assertEquals(
                Arrays.stream(Setting.values())
                        .map(s -> s.key + " " + s.environment)
                        .sorted()
                        .toList(),
                declared);
    }
}
