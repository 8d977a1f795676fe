package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * bench/run itself takes an hour. These tests only check that its lines, their files and the pages about them agree.
 */
class BenchTest {
    private static final Path LINES = Path.of("bench/lines");
    /** A row of the table "What each line means": its name, its file, what is done, the goal. */
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| \\[([\\w-]+)]\\(lines/([\\w-]+)\\.mjs\\) \\| [^|]+ \\| ([^|]+) \\|$");

    private static final String PLACE = "<!-- written by bench/run --readme -->\n";

    @Test
    void each_line_has_its_file_its_goal_and_its_row_in_the_page() throws Exception {
        TreeMap<String, String> told = new TreeMap<>();
        for (MatchResult row : ROW.matcher(Files.readString(Path.of("bench/README.md")))
                .results()
                .toList()) {
            assertEquals(row.group(1), row.group(2));
            assertTrue(row.group(3).matches(".*\\d.*"), "a goal is a figure: " + row.group());
            told.put(row.group(1), row.group(3));
        }
        assertEquals(files(), told.keySet());
    }

    @Test
    void the_list_names_and_describes_every_line() throws Exception {
        Process process = new ProcessBuilder("bench/run", "--list")
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), text);
        List<String> lines = text.lines().toList();
        assertEquals(
                files(),
                new TreeSet<>(lines.stream().map(line -> line.split(" ")[0]).toList()));
        assertTrue(lines.stream().allMatch(line -> line.matches("[\\w-]+ +\\S.{15,}")), text);
    }

    @Test
    void every_line_has_its_place_in_the_order_of_the_runs() throws IOException {
        String run = Files.readString(Path.of("bench/tools/run.mjs"));
        files().forEach(name -> assertTrue(run.contains("'" + name + "'"), name));
    }

    @Test
    void the_pages_have_a_place_for_the_table() throws IOException {
        for (Path page : List.of(Path.of("README.md"), Path.of("bench/README.md"))) {
            String text = Files.readString(page);
            int from = text.indexOf(PLACE);
            assertTrue(from > 0 && from < text.indexOf("<!-- until here -->"), page.toString());
        }
    }

    private static TreeSet<String> files() throws IOException {
        try (Stream<Path> files = Files.list(LINES)) {
            return new TreeSet<>(files.map(file -> file.getFileName().toString().replace(".mjs", ""))
                    .toList());
        }
    }
}
