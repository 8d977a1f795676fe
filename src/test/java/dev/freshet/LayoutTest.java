package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares docs/architecture.md and docs/glossary.md with the folders: every file is in the folder that its name
 * implies.
 */
class LayoutTest {
    private static final List<String> STAGES =
            List.of("source", "queue", "deliver", "audit", "stats", "cache", "live", "api", "console", "observe");
    private static final List<String> NO_STAGE = List.of("database", "settings", "run", "demo");
    private static final Path MAIN = Path.of("src/main/java/dev/freshet");
    private static final Path TEST = Path.of("src/test/java/dev/freshet");
    private static final Pattern OURS = Pattern.compile("(?<![\"\\w.])dev\\.freshet((?:\\.[a-z]\\w*)*)\\.[A-Z]");
    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:|#|mailto:)([^)#\\s]+)(?:#[^)]*)?\\)");
    private static final Pattern TEXT =
            Pattern.compile("\\.(java|sql|yaml|yml|md|m?js|ts|css|html|properties|xml|txt|sh)$|(^|/)[a-z-]+$");
    private static final Pattern CODE = Pattern.compile("(?s)```.*?```|`[^`\n]*`");
    private static final Pattern GLOSSARY = Pattern.compile("(?m)^\\| ([a-z ]+) \\| .* \\| `([^`]+)` \\|$");

    @ParameterizedTest
    @CsvSource({"src/main/java/dev/freshet,Freshet.java", "sql/queries,''"})
    void folders_are_named_after_stages(Path root, String file) throws IOException {
        List<String> known = Stream.concat(STAGES.stream(), NO_STAGE.stream()).toList();
        try (Stream<Path> there = Files.list(root)) {
            List<String> strange = there.map(path -> path.getFileName().toString())
                    .filter(name -> !known.contains(name) && !name.equals(file))
                    .toList();
            assertEquals(List.of(), strange);
        }
    }

    @Test
    void tests_are_in_the_packages_of_what_they_test() throws IOException {
        try (Stream<Path> there = Files.list(TEST)) {
            Map<Boolean, List<String>> names = there.collect(Collectors.partitioningBy(
                    Files::isDirectory,
                    Collectors.mapping(path -> path.getFileName().toString(), Collectors.toList())));
            assertTrue(names.get(false).size() <= 3, names.get(false).toString());
            names.get(true).removeAll(STAGES);
            names.get(true).removeAll(NO_STAGE);
            assertEquals(List.of("testing"), names.get(true));
        }
    }

    @Test
    void route_files_are_named_after_stages() throws IOException {
        Pattern name =
                Pattern.compile("(api-)?(" + String.join("|", STAGES) + "|demo|errors)(-[a-z]+)?\\.camel\\.yaml");
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            List<String> strange = files.filter(Files::isRegularFile)
                    .map(path -> path.getFileName().toString())
                    .filter(file -> !name.matcher(file).matches())
                    .toList();
            assertEquals(List.of(), strange);
        }
    }

    /** RouteTest starts the file that is named first by itself. */
    @Test
    void every_route_file_has_its_own_test_in_its_package() throws IOException {
        Path routes = Path.of("routes");
        List<String> without = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(routes)) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                String file = routes.relativize(path).toString();
                String started = "super(\"" + file + "\"";
                boolean isTested = false;
                for (Path test : java(folderOfTests(file))) {
                    isTested |= test.toString().endsWith("RoutesTest.java")
                            && Files.readString(test).contains(started);
                }
                if (!isTested) {
                    without.add(file + ": no *RoutesTest in " + folderOfTests(file) + " says " + started);
                }
            }
        }
        assertEquals(List.of(), without);
    }

    private static Path folderOfTests(String file) {
        if (file.startsWith("targets/")) {
            return TEST.resolve("deliver");
        }
        if (file.startsWith("templates/")) {
            return TEST.resolve("deliver/provider");
        }
        String stage = file.replaceFirst("^(api-)?([a-z]+).*", "$2");
        return TEST.resolve(stage.equals("errors") ? "run" : stage);
    }

    /**
     * Excluded is what cannot be wrapped: an address, a row of a Markdown table, and what the contract wants on one
     * line.
     */
    @Test
    void no_line_is_wider_than_120_characters() throws Exception {
        Set<String> free = Set.of(
                "routes/stats.camel.yaml", // a function is one line
                "client/test/support/spellings.json",
                "docs/grafana-dashboard.json",
                "src/main/resources/openapi.json",
                "application.properties");
        List<String> wide = new ArrayList<>();
        for (String file : tracked()) {
            if (free.contains(file) || !TEXT.matcher(file).find()) {
                continue;
            }
            List<String> lines = Files.readAllLines(Path.of(file));
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                boolean isTable = file.endsWith(".md") && line.strip().startsWith("|");
                if (line.codePointCount(0, line.length()) > 120
                        && !isTable
                        && !line.contains("://")
                        && !line.startsWith("# expect: ")) {
                    wide.add(file + ':' + (i + 1));
                }
            }
        }
        assertEquals(List.of(), wide);
    }

    private static List<String> tracked() throws Exception {
        assumeTrue(Files.exists(Path.of(".git")), "a checkout");
        Process git = new ProcessBuilder("git", "ls-files").start();
        String files = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, git.waitFor());
        return files.lines().filter(file -> Files.exists(Path.of(file))).toList();
    }

    @Test
    void no_two_classes_have_the_same_name() throws IOException {
        Map<String, List<String>> byName = Stream.concat(java(MAIN).stream(), java(TEST).stream())
                .collect(Collectors.groupingBy(
                        file -> file.getFileName().toString(),
                        TreeMap::new,
                        Collectors.mapping(Path::toString, Collectors.toList())));
        byName.values().removeIf(files -> files.size() == 1);
        assertEquals(Map.of(), byName);
    }

    @Test
    void packages_do_not_depend_on_each_other_in_a_cycle() throws IOException {
        Map<String, Set<String>> needs = new TreeMap<>();
        for (Path file : java(MAIN)) {
            String own = file.getParent()
                    .toString()
                    .substring(MAIN.toString().length())
                    .replace('/', '.');
            Set<String> others = needs.computeIfAbsent(own, name -> new TreeSet<>());
            OURS.matcher(Files.readString(file))
                    .results()
                    .map(result -> result.group(1))
                    .forEach(others::add);
            others.remove(own);
        }
        assertTrue(needs.get(".queue").contains(".deliver"), needs.toString());
        needs.forEach((name, direct) ->
                assertTrue(!reached(needs, direct).contains(name), name + " needs what needs it: " + direct));
    }

    @Test
    void every_word_of_the_glossary_has_a_file_that_exists() throws IOException {
        List<MatchResult> rows = GLOSSARY.matcher(Files.readString(Path.of("docs/glossary.md")))
                .results()
                .toList();
        assertTrue(rows.size() > 30);
        rows.forEach(row -> assertTrue(Files.exists(Path.of(row.group(2))), row.group(1) + ": " + row.group(2)));
        List<String> words = rows.stream().map(row -> row.group(1)).toList();
        assertEquals(words.stream().sorted().toList(), words);
    }

    @Test
    void every_link_of_the_documents_leads_to_a_file_that_exists() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            LINK.matcher(CODE.matcher(Files.readString(page)).replaceAll(""))
                    .results()
                    .map(result -> result.group(1))
                    .forEach(to -> {
                        if (!Files.exists(page.resolveSibling(to))) {
                            broken.add(page + " -> " + to);
                        }
                    });
        }
        assertEquals(List.of(), broken);
    }

    private static Set<String> reached(Map<String, Set<String>> needs, Set<String> from) {
        Set<String> reached = new TreeSet<>();
        Deque<String> next = new ArrayDeque<>(from);
        while (!next.isEmpty()) {
            String name = next.pop();
            if (reached.add(name)) {
                next.addAll(needs.getOrDefault(name, Set.of()));
            }
        }
        return reached;
    }

    private static List<Path> java(Path root) throws IOException {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(path -> path.toString().endsWith(".java")).toList();
        }
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>();
        for (String folder : List.of(".", "docs", "bench", "client")) {
            try (Stream<Path> there = Files.list(Path.of(folder))) {
                there.filter(path -> path.toString().endsWith(".md")).forEach(pages::add);
            }
        }
        return pages;
    }
}
