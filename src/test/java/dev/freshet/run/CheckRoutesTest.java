package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code check}: the trial that a running Freshet puts an edited file through, without a database. */
class CheckRoutesTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @Test
    void every_shipped_file_is_good() throws Exception {
        assertEquals(0, check("routes"), said.toString());
        try (Stream<Path> files = Files.walk(Path.of("routes"))) {
            assertEquals(
                    files.filter(file -> file.toString().endsWith(".yaml")).count() + " route files are good\n",
                    said.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no YAML | queue.camel.yaml | description: | description: [",
                "unknown bean | queue.camel.yaml | ref: retention | ref: retentiom",
                "unknown method | queue.camel.yaml | method: forgetWhatIsDue | method: forgetWhatIsDew",
                "unknown option | queue.camel.yaml | stateful: true | stateless: true",
                "bad expression | queue.camel.yaml | '${body.tags} > 0' | '${body.tags > 0'",
                "unknown statement | deliver.camel.yaml | queries/deliver/claim.sql | queries/deliver/klaim.sql"
            })
    void a_broken_file_is_reported_with_its_line(String what, String name, String good, String bad) throws Exception {
        Path file = copy().resolve(name);
        String text = Files.readString(file);
        assertTrue(text.contains(good), good);
        Files.writeString(file, text.replace(good, bad));
        assertEquals(2, check(folder.toString()), what);
        assertTrue(
                said.toString()
                        .matches("(?s)\\Q" + file
                                + "\\E line \\d+: .+\n1 of \\d+ route files would not be taken over\n"),
                said.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "50 | 4 | asTagOrTags(1) | 4 | asTagOrTags(1), one tag, and its bean says batch: 50",
                "50 | 4 | asTagOrTags( {{freshet.deliver.batch-tags}} ) | 4 | asTagOrTags(1), one tag, and its bean"
                        + " says batch: 50",
                "50 | 4 | asTagOrTags(50) | 8 | concurrentConsumers: 8 and its bean concurrency: 4: leave"
                        + " concurrentConsumers out",
                "0 | 4 | asTagOrTags() | 4 | batch is 0: write a whole number from 1 to 10000",
                "50 | 1001 | asTagOrTags() | 1001 | concurrency is 1001: write a whole number from 1 to 1000"
            })
    void numbers_that_would_lose_tags_are_refused(int batch, int concurrency, String body, int consumers, String told)
            throws Exception {
        Path file = folder.resolve("other.yaml");
        Files.writeString(file, target(batch, concurrency, body, consumers));
        assertEquals(2, check(folder.toString()), said.toString());
        assertTrue(
                said.toString().startsWith(file.toString()) && said.toString().contains(told), said.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "50 | 4 | asTagOrTags(50)",
                "1 | 4 | asTagOrTags(1)",
                "1 | 4 | asTagOrTags(50)",
                "50 | 500 | asTagOrTags()"
            })
    void numbers_that_agree_may_be_given_twice(int batch, int concurrency, String body) throws Exception {
        Files.writeString(folder.resolve("other.yaml"), target(batch, concurrency, body, concurrency));
        assertEquals(0, check(folder.toString()), said.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://a:1,http://b:2 | has a list of addresses (or fanout: dns) in its bean, and no step that sends"
                        + " to",
                "http://a:1,,http://b:2 | address 2 of 3 is empty: write addresses with one comma between two",
                "http://a:1,b:2 | address 2 of 2 is \"b:2\": no whole address; write it such as http://10.0.0.1:3000",
                "http://a:1,http://A:1/ | address 2 of 2 is http://A:1/ and so is another one"
            })
    void a_malformed_list_of_addresses_is_refused(String address, String told) throws Exception {
        Files.writeString(
                folder.resolve("other.yaml"),
                target(1, 4, "asTagOrTags()", 4)
                        .replace("name: other", "name: other\n        address: \"" + address + "\""));
        assertEquals(2, check(folder.toString()), said.toString());
        assertTrue(said.toString().contains("other.yaml") && said.toString().contains(told), said.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://a:1,redis://b:2 | address 2 of 2 is \"redis://b:2\": write http://host or https://host",
                "http://a:1, | address 2 of 2 is empty",
                "http://a:1,http://b:2/ | address 2 of 2 is \"http://b:2/\": write http://host"
            })
    void a_malformed_list_of_addresses_of_a_target_in_six_lines_is_refused(String address, String told)
            throws Exception {
        Files.createDirectory(folder.resolve("targets"));
        Files.writeString(
                folder.resolve("targets/other.camel.yaml"),
                "- templatedRoute:\n    routeTemplateRef: nginx\n"
                        + "    parameters:\n      - { name: address, value: \"" + address + "\" }\n");
        assertEquals(2, check(folder.toString()), said.toString());
        assertTrue(said.toString().contains("address is " + address + ": " + told), said.toString());
    }

    /** As where an image is built: the secrets are supplied later. */
    @Test
    void a_variable_that_is_not_set_is_reported_and_does_no_harm() throws Exception {
        Path file = folder.resolve("other.yaml");
        String good = target(50, 4, "asTagOrTags()", 4)
                .replace("batch: 50", "batch: \"{{env:FRESHET_TEST_BATCH}}\"")
                .replace("direct:delivered", "\"{{env:FRESHET_TEST_ADDRESS}}/{{env:FRESHET_TEST_PATH:purge}}\"");
        Files.writeString(file, good);
        assertEquals(0, check(folder.toString()), said.toString());
        assertEquals(
                "(" + file + " needs FRESHET_TEST_ADDRESS, FRESHET_TEST_BATCH, not set here; a start without is"
                        + " refused)\n1 route files are good\n",
                said.toString());
        said.reset();
        Files.writeString(file, good.replace("simple:", "simpel:"));
        assertEquals(2, check(folder.toString()), said.toString());
        assertTrue(said.toString().contains("simpel"), said.toString());
    }

    private static String target(int batch, int concurrency, String body, int consumers) {
        return """
            - beans:
                - name: target-other
                  type: dev.freshet.deliver.Target
                  properties:
                    name: other
                    batch: %d
                    concurrency: %d
            - route:
                id: target-other
                routeConfigurationId: deliver
                from:
                  uri: seda:target-other
                  parameters:
                    concurrentConsumers: %d
                  steps:
                    - setBody:
                        simple: "${body.%s}"
                    - to: direct:delivered
            """.formatted(batch, concurrency, consumers, body);
    }

    @Test
    void each_of_several_broken_files_is_reported() throws Exception {
        copy();
        Files.writeString(folder.resolve("audit.camel.yaml"), "- route: [");
        Files.writeString(
                folder.resolve("targets/tag.camel.yaml"),
                Files.readString(folder.resolve("targets/tag.camel.yaml"))
                        .replace("dev.freshet.deliver.Target", "dev.freshet.deliver.Goal"));
        assertEquals(2, check(folder.toString()));
        assertEquals(3, said.toString().lines().count(), said.toString());
        assertTrue(
                said.toString().contains("audit.camel.yaml line ")
                        && said.toString().contains("targets/tag.camel.yaml line ")
                        && said.toString().contains("2 of "),
                said.toString());
    }

    @Test
    void a_single_file_can_be_checked_and_a_missing_one_is_reported() throws Exception {
        assertEquals(0, check("routes/targets/tag.camel.yaml"), said.toString());
        said.reset();
        assertEquals(2, check(folder.resolve("none.yaml").toString()));
        assertTrue(said.toString().startsWith("There is no route file in "), said.toString());
    }

    private int check(String... places) throws Exception {
        return new CheckRoutes(new PrintStream(said, true, StandardCharsets.UTF_8)).run(List.of(places));
    }

    private Path copy() throws Exception {
        try (Stream<Path> files = Files.walk(Path.of("routes"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".yaml")).toList()) {
                Path to = folder.resolve(Path.of("routes").relativize(file).toString());
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        return folder;
    }
}
