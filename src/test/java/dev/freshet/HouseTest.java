package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.run.beans.RouteProperties;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What must hold in every file of routes/ and for every setting, whoever writes the next one. */
class HouseTest {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{([^{}:?]+)[^{}]*}}");
    /** The step of a statistics function has the function's name. */
    private static final Pattern KEBAB = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*|update(_[a-z]+)+");
    /** Steps in a row on one level: what fits on a screen. */
    private static final int STEPS = 12;

    private static final Map<Path, String> FILES = new HashMap<>();
    private static final List<Object> DOCUMENTS = new ArrayList<>();

    @BeforeAll
    static void read() throws IOException {
        try (Stream<Path> walk = Files.walk(Path.of("routes"))) {
            for (Path file :
                    walk.filter(path -> path.toString().endsWith(".yaml")).toList()) {
                FILES.put(file, Files.readString(file));
                DOCUMENTS.add(new Load(
                                LoadSettings.builder().setLabel(file.toString()).build())
                        .loadFromString(FILES.get(file)));
            }
        }
    }

    @Test
    void every_key_that_a_route_file_uses_is_set_somewhere() throws IOException {
        Settings settings = new Settings(new SettingSources(name -> null, key -> null));
        TreeSet<String> unset = new TreeSet<>();
        for (String text : texts()) {
            PLACEHOLDER
                    .matcher(text)
                    .results()
                    .map(result -> result.group(1))
                    .filter(key -> !key.equals("env"))
                    .forEach(unset::add);
        }
        assertTrue(unset.contains("freshet.queue.poll-ms"), unset.toString());
        unset.removeAll(settings.forRoutes().stringPropertyNames());
        unset.removeAll(RouteProperties.of(settings, null).stringPropertyNames());
        unset.remove("freshet.run.routes");
        unset.removeAll(templateParameters());
        assertEquals(new TreeSet<>(), unset);
    }

    @Test
    void every_setting_is_described_above_its_line() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("application.properties"));
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("freshet.")) {
                int above = i - 1;
                while (lines.get(above).startsWith("freshet.")) {
                    above--;
                }
                assertTrue(
                        lines.get(above).startsWith("# ") && !lines.get(above).startsWith("# ---"), lines.get(i));
            }
        }
    }

    @Test
    void every_id_is_unique_and_in_kebab_case() {
        List<String> ids = new ArrayList<>();
        DOCUMENTS.forEach(document -> collect(document, "id", ids));
        assertEquals(
                ids.stream().distinct().sorted().toList(), ids.stream().sorted().toList());
        assertEquals(
                List.of(),
                ids.stream().filter(id -> !KEBAB.matcher(id).matches()).toList());
    }

    @Test
    void every_route_has_a_description_of_one_line() {
        for (Map<?, ?> route : routes()) {
            Object description = route.get("description");
            assertTrue(
                    description instanceof String text && text.length() >= 15 && text.length() <= 120,
                    route.get("id") + ": " + description);
        }
    }

    /** Camel numbers the others by itself. */
    @Test
    void only_steps_that_are_shown_have_an_id() {
        List<String> ids = new ArrayList<>();
        DOCUMENTS.forEach(document -> idsOfSteps(document, ids));
        assertTrue(ids.contains("update_power_ratings"), ids.toString());
        assertEquals(
                List.of(), ids.stream().filter(id -> !id.startsWith("update_")).toList());
    }

    @Test
    void every_route_fits_on_a_screen() {
        for (Map<?, ?> route : routes()) {
            assertTrue(longest(route) <= STEPS, route.get("id") + ": " + longest(route) + " steps in a row");
        }
    }

    @Test
    void every_statement_is_used_and_every_statement_used_exists() throws IOException {
        TreeSet<String> there = new TreeSet<>();
        Path queries = Path.of("sql/queries");
        try (Stream<Path> files = Files.walk(queries)) {
            files.filter(Files::isRegularFile)
                    .forEach(file ->
                            there.add(queries.relativize(file).toString().replace(".sql", "")));
        }
        TreeSet<String> used = new TreeSet<>();
        List<String> texts = texts();
        try (Stream<Path> walk = Files.walk(Path.of("src/main/java"))) {
            for (Path file :
                    walk.filter(path -> path.toString().endsWith(".java")).toList()) {
                texts.add(Files.readString(file));
            }
        }
        Pattern name = Pattern.compile("SqlFile\\.of\\(\"([\\w/-]+)\"\\)|classpath:sql/queries/([\\w/-]+)\\.sql");
        texts.forEach(text -> name.matcher(text).results().forEach(result -> used.add(first(result))));
        assertEquals(there, used);
    }

    /** What a templated route provides itself, and the name that TargetFiles adds. */
    private static List<String> templateParameters() {
        List<String> names = new ArrayList<>(List.of("name"));
        for (Object document : DOCUMENTS) {
            for (Object entry : (List<?>) document) {
                if (((Map<?, ?>) entry).get("routeTemplate") instanceof Map<?, ?> template) {
                    collect(template.get("parameters"), "name", names);
                }
            }
        }
        return names;
    }

    private static String first(MatchResult result) {
        return result.group(1) == null ? result.group(2) : result.group(1);
    }

    private static List<String> texts() throws IOException {
        List<String> texts = new ArrayList<>(FILES.values());
        texts.add(String.join(
                "\n",
                Files.readAllLines(Path.of("application.properties")).stream()
                        .filter(line -> !line.startsWith("#"))
                        .toList()));
        return texts;
    }

    private static List<Map<?, ?>> routes() {
        List<Map<?, ?>> routes = new ArrayList<>();
        for (Object document : DOCUMENTS) {
            for (Object entry : (List<?>) document) {
                if (((Map<?, ?>) entry).get("route") instanceof Map<?, ?> route) {
                    routes.add(route);
                }
            }
        }
        assertTrue(routes.size() > 10);
        return routes;
    }

    private static void collect(Object node, String key, List<String> found) {
        children(node).forEach((name, child) -> {
            if (name.equals(key) && child instanceof String text) {
                found.add(text);
            }
            collect(child, key, found);
        });
    }

    private static void idsOfSteps(Object node, List<String> ids) {
        children(node).forEach((name, child) -> {
            if (name.equals("steps") && child instanceof List<?> steps) {
                for (Object step : steps) {
                    ((Map<?, ?>) step).forEach((kind, what) -> {
                        if (what instanceof Map<?, ?> map && map.get("id") instanceof String id) {
                            ids.add(id);
                        }
                    });
                }
            }
            idsOfSteps(child, ids);
        });
    }

    private static int longest(Object node) {
        int most = 0;
        for (Map.Entry<String, Object> child : children(node).entrySet()) {
            most = Math.max(most, longest(child.getValue()));
            if (child.getKey().equals("steps") && child.getValue() instanceof List<?> steps) {
                most = Math.max(most, steps.size());
            }
        }
        return most;
    }

    private static Map<String, Object> children(Object node) {
        Map<String, Object> children = new HashMap<>();
        if (node instanceof Map<?, ?> map) {
            map.forEach((name, child) -> children.put(String.valueOf(name), child));
        } else if (node instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                children.put("#" + i, list.get(i));
            }
        }
        return children;
    }
}
