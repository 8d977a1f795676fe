package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.TargetsPageIT;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The CDN files that docs/targets.md shows, as written there, except for the address, which is that of a strict
 * simulator.
 */
public class ProvidersIT {
    private static final List<String> AWKWARD = List.of(
            "course:7",
            "Course:7",
            "a b",
            "a,b",
            "100%",
            "tilde~x",
            "é😀",
            "\"quoted\"",
            "<a&b>",
            "star*",
            "back\\slash",
            "{curly}",
            "x".repeat(256),
            "é".repeat(256));

    private static final Map<String, Simulator> SIMULATORS = new TreeMap<>(Map.of(
            "cloudflare", new CloudflareSimulator("free", "zone-1", "cloudflare-key"),
            "fastly", new FastlySimulator("service-1", "fastly-key"),
            "vercel", new VercelSimulator("project-1", "vercel-key"),
            "netlify", new NetlifySimulator("site-1", "netlify-key"),
            "bunny", new BunnySimulator("4711", "bunny-key"),
            "cloudfront", new CloudFrontSimulator("E2EXAMPLE", "AKIDEXAMPLE", "cloudfront-key"),
            "akamai", new AkamaiSimulator("client1", "akamai-key", "access1")));

    private static Scene scene;
    private static FreshetProcess freshet;
    private static Path folder;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene(
                "VERCEL_DEPLOYMENT_URL=",
                "REVALIDATION_SECRET=",
                "CLOUDFLARE_ZONE=zone-1",
                "CLOUDFLARE_TOKEN=cloudflare-key",
                "FASTLY_SERVICE=service-1",
                "FASTLY_TOKEN=fastly-key",
                "VERCEL_PROJECT=project-1",
                "VERCEL_TOKEN=vercel-key",
                "NETLIFY_SITE=site-1",
                "NETLIFY_TOKEN=netlify-key",
                "BUNNY_ZONE=4711",
                "BUNNY_KEY=bunny-key",
                "CLOUDFRONT_DISTRIBUTION=E2EXAMPLE",
                "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY=cloudfront-key",
                "AKAMAI_HOST=akamai.invalid",
                "AKAMAI_CLIENT_TOKEN=client1",
                "AKAMAI_CLIENT_SECRET=akamai-key",
                "AKAMAI_ACCESS_TOKEN=access1");
        folder = FreshetProcess.newFolder();
        for (Map.Entry<String, Simulator> each : SIMULATORS.entrySet()) {
            drop(folder, each.getKey(), each.getValue().url());
        }
        freshet = scene.start(folder);
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
        SIMULATORS.values().forEach(Simulator::close);
    }

    /** The file as the page shows it, with another address. */
    public static void drop(Path folder, String name, String address) throws Exception {
        String file = TargetsPageIT.files("docs/targets.md").get(name);
        String sentElsewhere = file.replaceAll("(?m)^.*name: address,.*\\n", "") + "      - { name: address, value: \""
                + address + "\" }\n";
        Files.writeString(folder.resolve("routes/targets/" + name + ".camel.yaml"), sentElsewhere);
    }

    @Test
    void every_tag_arrives_as_spelled_for_its_provider_and_none_is_refused() throws Exception {
        List<String> tags = new ArrayList<>(AWKWARD);
        IntStream.range(0, 6).forEach(i -> tags.add("plain-" + i));
        scene.change(tags.toArray(String[]::new));
        scene.awaitProcessed(tags.toArray(String[]::new));
        SIMULATORS.forEach((provider, simulator) -> {
            TreeSet<String> spelled = new TreeSet<>();
            tags.forEach(tag -> spelled.add(Spelling.of(provider).spell(tag)));
            assertEquals(tags.size(), spelled.size());
            TreeSet<String> purged = new TreeSet<>(simulator.purged());
            assertTrue(purged.containsAll(spelled), () -> provider + " purged " + purged + " of " + spelled);
            assertEquals(List.of(), simulator.refusals(), provider);
        });
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter WHERE tag = ANY (?)", (Object)
                tags.toArray(String[]::new)));
    }

    @Test
    void an_exceeded_quota_of_cloudfront_is_tried_again() throws Exception {
        Simulator cloudfront = SIMULATORS.get("cloudfront");
        cloudfront.next(
                400,
                "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Type>Sender</Type><Code>"
                        + "TooManyInvalidationsInProgress</Code><Message>Exceeded</Message></Error></ErrorResponse>");
        scene.change("over-quota");
        Scene.until("tried again", () -> cloudfront.purged().contains("over-quota"));
        scene.awaitProcessed("over-quota");
        assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter WHERE tag = 'over-quota'"));
    }

    @Test
    void an_unknown_answer_of_a_provider_makes_a_dead_letter_that_quotes_it() throws Exception {
        SIMULATORS.get("cloudflare").next(200, "{\"success\":false,\"errors\":[{\"code\":1,\"message\":\"moved\"}]}");
        SIMULATORS.get("akamai").next(410, "{\"title\":\"This API is gone\"}");
        scene.change("no-longer");
        scene.awaitProcessed("no-longer");
        assertEquals(
                "akamai: HTTP 410: {\"title\":\"This API is gone\"}|cloudflare: HTTP 200: {\"success\":false,"
                        + "\"errors\":[{\"code\":1,\"message\":\"moved\"}]}",
                scene.one("SELECT string_agg(target || ': '"
                        + " || last_error, '|' ORDER BY target) FROM freshet.dead_letter WHERE tag = 'no-longer'"));
    }

    @Test
    void a_malformed_parameter_is_refused_by_name_with_what_to_write() throws Exception {
        assertRefused("plan", "gold", "plan is gold: write one of cloudflare's, business, enterprise, free, pro");
        assertRefused("batch", "500", "batch is 500: cloudflare takes 100 tags in a call");
        assertRefused("limits", "lots", "limits is \"lots\": write \"25 calls, 5/min\"");
        assertRefused("colour", "red", "colour is no parameter of cloudflare: write address, batch");
        assertRefused("zone", "", "zone is empty, and cloudflare needs it");
        assertRefused("address", "api.cloudflare.com", "address is api.cloudflare.com: write http://host");
    }

    private static void assertRefused(String parameter, String value, String told) throws Exception {
        Path file = folder.resolve("routes/targets/other.camel.yaml");
        StringBuilder text =
                new StringBuilder("- templatedRoute:\n    routeTemplateRef: cloudflare\n" + "    parameters:\n");
        Map<String, String> parameters = new TreeMap<>(Map.of("zone", "z", "token", "t"));
        parameters.put(parameter, value);
        parameters.forEach((name, its) -> text.append("      - { name: " + name + ", value: \"" + its + "\" }\n"));
        Files.writeString(file, text);
        Scene.until(told, () -> freshet.log().contains(told));
        assertTrue(freshet.log().lines().anyMatch(line -> line.contains(told) && line.contains("other.camel.yaml")));
        Files.delete(file);
    }
}
