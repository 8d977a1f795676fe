package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.settings.CannotStart;
import dev.freshet.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Dockerfile, compose.yaml, render.yaml and the systemd unit as text: what they name exists, and they agree. */
class PackagingTest {
    private static final Set<String> VARIABLES =
            Stream.of(Setting.values()).map(setting -> setting.environment).collect(Collectors.toSet());
    private static final String READY = "/observe/health/ready";
    private static final int STOPS_WITHIN_SECONDS = 20;

    @Test
    void the_image_is_built_from_existing_files_and_runs_without_privileges() throws Exception {
        String file = read("Dockerfile");
        for (String line : file.lines()
                .filter(line -> line.startsWith("COPY ") && !line.contains("--from"))
                .toList()) {
            List<String> words = List.of(line.split(" "));
            words.subList(1, words.size() - 1).forEach(source -> assertTrue(Files.exists(Path.of(source)), line));
        }
        List<String> ignored = read(".dockerignore").lines().toList();
        assertTrue(
                Stream.of("pom.xml", "src", "routes", "sql", "client", "application.properties")
                        .noneMatch(ignored::contains),
                ignored.toString());
        assertEquals("freshet", last(file, "(?m)^USER (\\S+)"));
        assertEquals("SIGTERM", last(file, "(?m)^STOPSIGNAL (\\S+)"));
        assertEquals(last(file, "FRESHET_PORT=(\\d+)"), last(file, "(?m)^EXPOSE (\\d+)"));
        assertTrue(file.substring(file.indexOf("HEALTHCHECK")).contains("GET " + READY), file);
        assertEquals(
                "<finalName>" + last(file, "target/(\\w+)\\.jar") + "</finalName>",
                last(read("pom.xml"), "(<finalName>\\w+</finalName>)"));
        all(file, "\\b(FRESHET_\\w+)").forEach(PackagingTest::assertIsSetting);
    }

    @Test
    void compose_uses_existing_settings_and_waits_for_the_database_and_the_hand_back() throws Exception {
        Map<?, ?> services = (Map<?, ?>) yaml("compose.yaml").get("services");
        Map<?, ?> freshet = (Map<?, ?>) services.get("freshet");
        ((Map<?, ?>) freshet.get("environment")).keySet().forEach(name -> assertIsSetting((String) name));
        assertEquals(List.of("127.0.0.1:4000:" + last(read("Dockerfile"), "EXPOSE (\\d+)")), freshet.get("ports"));
        assertEquals(Map.of("postgres", Map.of("condition", "service_healthy")), freshet.get("depends_on"));
        assertTrue(services.get("postgres") instanceof Map<?, ?> postgres && postgres.containsKey("healthcheck"));
        assertTrue(
                Integer.parseInt(((String) freshet.get("stop_grace_period")).replace("s", "")) > STOPS_WITHIN_SECONDS);
    }

    @Test
    void renders_blueprint_names_existing_settings_and_the_port_of_the_image() throws Exception {
        Map<?, ?> service = (Map<?, ?>) ((List<?>) yaml("render.yaml").get("services")).get(0);
        assertTrue(Files.exists(Path.of((String) service.get("dockerfilePath"))));
        assertEquals(READY, service.get("healthCheckPath"));
        assertTrue((Integer) service.get("maxShutdownDelaySeconds") > STOPS_WITHIN_SECONDS);
        for (Object variable : (List<?>) service.get("envVars")) {
            Map<?, ?> map = (Map<?, ?>) variable;
            if (map.get("key").equals("PORT") || map.get("key").equals("FRESHET_PORT")) {
                assertEquals(last(read("Dockerfile"), "EXPOSE (\\d+)"), map.get("value"));
            }
            if (!map.get("key").equals("PORT")) {
                assertIsSetting((String) map.get("key"));
            }
        }
    }

    @Test
    void the_unit_leaves_time_to_hand_back_and_does_not_restart_after_a_bad_setting() throws Exception {
        String unit = read("docs/freshet.service");
        assertTrue(Integer.parseInt(last(unit, "(?m)^TimeoutStopSec=(\\d+)")) > STOPS_WITHIN_SECONDS);
        assertEquals(Integer.toString(CannotStart.BAD_SETTING), last(unit, "(?m)^RestartPreventExitStatus=(\\d+)"));
        all(unit, "(?m)^Environment=(\\w+)=").forEach(PackagingTest::assertIsSetting);
    }

    @Test
    void every_setting_that_the_operations_page_names_exists() throws Exception {
        Set<String> named = all(read("docs/operations.md"), "\\b(FRESHET_[A-Z_]+)");
        assertTrue(named.size() > 10, named.toString());
        named.forEach(PackagingTest::assertIsSetting);
    }

    private static void assertIsSetting(String name) {
        assertTrue(VARIABLES.contains(name), name);
    }

    private static String read(String file) throws IOException {
        return Files.readString(Path.of(file));
    }

    private static Map<?, ?> yaml(String file) throws IOException {
        return (Map<?, ?>) new Load(LoadSettings.builder().setLabel(file).build()).loadFromString(read(file));
    }

    private static String last(String text, String pattern) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(result -> result.group(1))
                .reduce((first, next) -> next)
                .orElse("nothing like " + pattern);
    }

    private static Set<String> all(String text, String pattern) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map((MatchResult result) -> result.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
