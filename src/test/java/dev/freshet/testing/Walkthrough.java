package dev.freshet.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A document whose blocks, marked {@code <!-- run: name -->}, are run as they are written. */
public final class Walkthrough {
    private static final Pattern BLOCK =
            Pattern.compile("<!-- run: (\\S+) -->\\s*```(?:sql|sh|yaml|js)\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern EXPECTED_ROW = Pattern.compile("(.*?);\\s*-- expect: ([^\\n]*)", Pattern.DOTALL);
    private static final Pattern CURL = Pattern.compile("(curl (?:[^\\n]*\\\\\\n)*[^\\n]*)\\n# expect: ([^\\n]*)");
    private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");
    private static final Pattern EXPORT = Pattern.compile("export (\\w+)='([^']*)'");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String text;
    private final TestDatabase database;
    private final Map<String, String> blocks = new LinkedHashMap<>();

    public Walkthrough(String document, TestDatabase database) {
        this.database = database;
        try {
            this.text = Files.readString(Path.of(document));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        BLOCK.matcher(text).results().forEach(block -> blocks.put(block.group(1), block.group(2)));
    }

    public String block(String name) {
        assertTrue(blocks.containsKey(name), name);
        return blocks.get(name);
    }

    /** Asserts that the test that runs the blocks forgets none of them. */
    public void everyBlockIsRunIn(Class<?> test) {
        assertEquals(text.split("<!-- run:", -1).length - 1, blocks.size());
        try {
            String here =
                    Files.readString(Path.of("src/test/java/" + test.getName().replace('.', '/') + ".java"));
            blocks.keySet().forEach(name -> assertTrue(here.contains("\"" + name + "\""), name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs every statement; what follows "-- expect:" must be in the first columns of its first row. */
    public void check(String name) throws SQLException {
        database.run(block(name));
        Matcher expectation = EXPECTED_ROW.matcher(block(name));
        int found = 0;
        while (expectation.find()) {
            found++;
            String sql = expectation.group(1).substring(expectation.group(1).lastIndexOf(";\n\n") + 1);
            String expected = expectation.group(2).strip();
            Eventually.is(
                    PATIENCE,
                    () -> (firstRow(sql) + " | ").startsWith(expected + " | "),
                    () -> name + ": " + expected + " expected, but: " + firstRow(sql));
        }
        assertTrue(found > 0 || !name.startsWith("check"), name + " expects nothing");
    }

    private String firstRow(String sql) {
        try (Connection c = database.connect();
                Statement s = c.createStatement();
                ResultSet row = s.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            if (row.next()) {
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                    values.add(row.getString(i) == null ? "" : row.getString(i));
                }
            }
            return String.join(" | ", values);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** What a block exports before it starts Freshet. */
    public Map<String, String> environment(String name) {
        assertTrue(block(name).stripTrailing().endsWith("\njava -jar freshet.jar"), block(name));
        Map<String, String> environment = new LinkedHashMap<>();
        EXPORT.matcher(block(name))
                .results()
                .forEach(variable -> environment.put(variable.group(1), variable.group(2)));
        return environment;
    }

    /**
     * Implements as much of curl as the documents use, so that a machine without it can run this. The status and the
     * answer must contain what follows "# expect:".
     */
    public void curl(FreshetProcess freshet, Map<String, String> environment, String name)
            throws IOException, InterruptedException {
        Matcher command = CURL.matcher(block(name));
        int commands = 0;
        while (command.find()) {
            commands++;
            String answer = answer(freshet, environment, command.group(1).replace("\\\n", " "));
            assertTrue(answer.contains(command.group(2).strip()), name + ": " + answer);
        }
        assertEquals(block(name).split("(?m)^curl ", -1).length - 1, commands, "each says what it expects");
        assertTrue(commands > 0, name);
    }

    private static String answer(FreshetProcess freshet, Map<String, String> environment, String command)
            throws IOException, InterruptedException {
        List<String> words = WORD.matcher(command)
                .results()
                .skip(1)
                .map(word -> word.group(1) != null
                        ? word.group(1)
                        : word.group(2) != null ? expanded(word.group(2), environment) : word.group(3))
                .collect(Collectors.toList());
        assertTrue(words.remove("-s"), "without a progress bar");
        String method = null;
        HttpRequest.Builder request = HttpRequest.newBuilder();
        String body = null;
        for (int i = 0; i < words.size(); i++) {
            switch (words.get(i)) {
                case "-X" -> method = words.get(++i);
                case "-d" -> body = words.get(++i);
                case "-H" ->
                    request.header(
                            words.get(i + 1).split(": ")[0], words.get(++i).split(": ")[1]);
                default -> {
                    assertTrue(words.get(i).startsWith("http://127.0.0.1:4000/"), words.get(i));
                    request.uri(URI.create(words.get(i).replace("http://127.0.0.1:4000", freshet.url())));
                }
            }
        }
        method = method != null ? method : body == null ? "GET" : "POST";
        var answer = HttpClient.newHttpClient()
                .send(
                        request.method(method, BodyPublishers.ofString(body == null ? "" : body))
                                .build(),
                        BodyHandlers.ofString());
        return "HTTP " + answer.statusCode() + " " + answer.body();
    }

    private static String expanded(String text, Map<String, String> environment) {
        return Pattern.compile("\\$(\\w+)").matcher(text).replaceAll(variable -> environment.get(variable.group(1)));
    }
}
