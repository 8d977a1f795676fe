package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How tags are spelled for providers that do not accept every text. */
class SpellingTest {
    private static final List<String> PROVIDERS = List.of(
            "cloudflare", "fastly", "vercel", "netlify", "bunny", "cloudfront", "akamai", "varnish", "nginx", "redis");
    /** According to their documentation; for bunny nothing is documented. */
    private static final Set<String> IGNORE_CASE = Set.of("cloudflare", "netlify", "cloudfront", "bunny");

    private static final String LETTERS = "aAbB~/.,:%*?# é😀\"\\&<{_0";

    /** client/test/tags.test.mjs checks the app's tagFor against the same list. */
    @Test
    void the_app_and_freshet_spell_alike() throws IOException {
        JsonNode spellings = new ObjectMapper().readTree(new File("client/test/support/spellings.json"));
        assertTrue(spellings.size() > 20);
        for (JsonNode each : spellings) {
            String tag = each.get("tag").asText();
            for (String provider : PROVIDERS) {
                assertEquals(each.get(provider).asText(), Spelling.of(provider).spell(tag), provider);
            }
        }
    }

    @Test
    void no_two_tags_are_spelled_alike() {
        Random random = new Random(7);
        for (String provider : PROVIDERS) {
            Map<String, String> spelled = new HashMap<>();
            for (int i = 0; i < 20_000; i++) {
                String tag = tag(random, i % 100 == 0 ? 256 : 4);
                String written = Spelling.of(provider).spell(tag);
                String same = IGNORE_CASE.contains(provider) ? written.toLowerCase(Locale.ROOT) : written;
                String other = spelled.putIfAbsent(same, tag);
                assertTrue(other == null || other.equals(tag), () -> provider + ": " + other + " and " + tag);
            }
        }
    }

    @Test
    void a_shortened_tag_equals_no_other_tag() {
        String cut = Spelling.of("akamai").spell("x".repeat(200));
        assertEquals(128, cut.length());
        assertTrue(cut.matches("x{86}~~[0-9a-f]{40}"), cut);
        assertTrue(!Spelling.of("akamai").spell(cut).equals(cut), "a tag of that name is spelled otherwise");
    }

    @Test
    void a_tag_is_spelled_as_a_path_that_no_server_resolves_differently() {
        assertEquals("/courses/~2e./7", Spelling.of("nginx").spell("/courses/../7"));
        assertEquals("/a/~2fb", Spelling.of("nginx").spell("/a//b"));
        assertEquals("/~~course:7", Spelling.of("nginx").spell("course:7"));
    }

    @Test
    void an_unknown_provider_is_refused_with_the_known_ones() {
        String told = assertThrows(IllegalArgumentException.class, () -> Spelling.of("akami"))
                .getMessage();
        assertTrue(told.contains("akamai, bunny, cloudflare"), told);
    }

    private static String tag(Random random, int longest) {
        StringBuilder tag = new StringBuilder();
        int length = 1 + random.nextInt(longest);
        for (int i = 0; i < length; i++) {
            int at = LETTERS.offsetByCodePoints(0, random.nextInt(LETTERS.codePointCount(0, LETTERS.length())));
            tag.appendCodePoint(LETTERS.codePointAt(at));
        }
        return tag.toString();
    }
}
