package dev.freshet.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/configuration.md is application.properties as a page. After a change run {@code mvn test
 * -Dtest=ConfigurationPageTest -Dfreshet.write-docs=true}.
 */
class ConfigurationPageTest {
    private static final Path PAGE = Path.of("docs/configuration.md");
    private static final Pattern BLOCK = Pattern.compile("# --- (.*?) -+");
    private static final Pattern LINE = Pattern.compile("(freshet\\.[\\w.-]+)=\\{\\{env:(\\w+):(.*)}}");

    private static final Map<String, Setting> SETTINGS =
            Stream.of(Setting.values()).collect(Collectors.toMap(setting -> setting.key, Function.identity()));

    @Test
    void the_page_says_what_the_file_says() throws Exception {
        String page = page(Files.readAllLines(Path.of("application.properties")));
        if (Boolean.getBoolean("freshet.write-docs")) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page, Files.readString(PAGE));
    }

    private static String page(List<String> lines) {
        StringBuilder page = new StringBuilder("""
            # Configuration

            `ConfigurationPageTest` writes this page from [application.properties](../application.properties), and fails
            if the page is out of date. Environment variables take precedence over the file. An empty variable counts as
            unset, so that compose files can pass on variables that are not set. To switch off what is on by default,
            write a word: `false`, `0` or `none`. Durations are `500ms`, `5s`, `10m`, `1h` or `2d`; a plain number means
            seconds. If a value is bad, Freshet does not start: it prints one line that names the value, and exits with
            code 2. Secrets belong in the environment.
            """);
        List<String> comment = new ArrayList<>();
        int listed = 0;
        boolean rowBefore = false;
        for (String line : lines) {
            Matcher block = BLOCK.matcher(line);
            Matcher setting = LINE.matcher(line);
            if (block.matches()) {
                page.append("\n## ")
                        .append(block.group(1))
                        .append("\n\n| variable | key | default | range | |\n|---|---|---|---|---|\n");
            } else if (setting.matches()) {
                page.append(row(setting, String.join(" ", comment)));
                listed++;
            } else if (line.startsWith("# ")) {
                if (rowBefore) {
                    comment.clear();
                }
                comment.add(line.substring(2));
            } else {
                comment.clear();
            }
            if (block.matches()) {
                comment.clear();
            }
            rowBefore = setting.matches();
        }
        assertEquals(SETTINGS.size(), listed);
        return page.toString();
    }

    private static String row(Matcher line, String comment) {
        Setting setting = SETTINGS.get(line.group(1));
        assertEquals(setting.environment, line.group(2));
        String standard = line.group(3).isEmpty() ? "" : "`" + line.group(3) + "`";
        return "| `" + setting.environment + "` | `" + setting.key + "` | " + standard + " | " + range(setting) + " | "
                + comment.replace("|", "\\|") + " |\n";
    }

    private static String range(Setting setting) {
        return switch (setting.kind) {
            case TEXT -> "text";
            case SECRET -> "secret";
            case FLAG -> "true, false";
            case URL, BASE_URL -> "web address";
            case BASE_URLS -> "web addresses";
            case ORIGINS -> "origins, *, none";
            case FANOUT -> "dns, off";
            case LEVEL -> "level";
            case FORMAT -> "text, json";
            case CRON -> "Quartz cron";
            case NUMBER, DURATION -> setting.least + " to " + setting.most;
        };
    }
}
