package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.api.Refused;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which keys a pattern matches, and which texts are not patterns. */
class KeyPatternTest {
    private static final List<String> FOUR =
            List.of("user:123:profile", "user:123:settings", "user:456:profile", "product:789");

    @Test
    void a_star_matches_any_run_of_characters() {
        matches("user:123:*", FOUR, FOUR.subList(0, 2));
        matches(
                "*:profile",
                List.of("user:123:profile", "user:456:profile", "admin:profile", "user:123:settings"),
                List.of("user:123:profile", "user:456:profile", "admin:profile"));
        matches(
                "*:123:*",
                List.of("user:123:profile", "product:123:details", "user:456:profile"),
                List.of("user:123:profile", "product:123:details"));
        matches("*", FOUR, FOUR);
        matches("**", FOUR, FOUR);
        matches(
                "user:*:settings",
                List.of("user:1:settings", "user:1:2:settings", "user:settings", "user::settings"),
                List.of("user:1:settings", "user:1:2:settings", "user::settings"));
        matches("user:*", List.of("user:", "user:1", "user"), List.of("user:", "user:1"));
        matches("ab*ba", List.of("aba", "abba", "abxba"), List.of("abba", "abxba"));
        matches("a*b*c*d", List.of("abcd", "aXbYcZd", "abdc", "adcb"), List.of("abcd", "aXbYcZd"));
        matches("a*z", List.of("a\nz", "az", "a\r\n\u2028z"), List.of("a\nz", "az", "a\r\n\u2028z"));
        matches("用户:*:资料", List.of("用户:1:资料", "用户:🚀:资料", "用户:1:设置"), List.of("用户:1:资料", "用户:🚀:资料"));
        matches("none:*", FOUR, List.of());
    }

    @Test
    void all_other_characters_of_a_glob_match_themselves() {
        matches("user:123", List.of("user:123", "user:1234", "xuser:123"), List.of("user:123"));
        matches("a.c", List.of("a.c", "abc"), List.of("a.c"));
        matches("a.*", List.of("a.c", "abc"), List.of("a.c"));
        matches("User:*", List.of("user:1", "User:1"), List.of("User:1"));
        matches("a%_*", List.of("a%_1", "abc1", "a%x1"), List.of("a%_1"));
    }

    @Test
    void a_regular_expression_matches_somewhere_in_the_key() {
        matches(
                "^user:[0-9]+$",
                List.of("user:123", "user:456", "user:abc", "product:789"),
                List.of("user:123", "user:456"));
        matches(
                "user:(123|456)",
                List.of("user:123", "user:456", "user:789", "xuser:1234"),
                List.of("user:123", "user:456", "xuser:1234"));
        matches("^user:.*:x$", List.of("user:1:x", "user:1:y", "a user:1:x"), List.of("user:1:x"));
        matches("colou?r", List.of("color", "colour", "colr", "my color"), List.of("color", "colour", "my color"));
        matches("v\\d+\\.json", List.of("v12.json", "v12xjson", "vx.json"), List.of("v12.json"));
        matches("a|b", List.of("xax", "xbx", "c"), List.of("xax", "xbx"));
        matches("^a{2,3}$", List.of("a", "aa", "aaa", "aaaa"), List.of("aa", "aaa"));
        matches("^.$", List.of("é", "🚀", "ab"), List.of("é", "🚀"));
        matches("a$", List.of("a", "a\n", "ba"), List.of("a", "ba"));
        matches("(?i)^USER", FOUR, FOUR.subList(0, 3));
    }

    @Test
    void only_certain_marks_make_a_pattern_a_regular_expression() {
        for (String text : List.of("^a", "a$", "[a]", "a]", "(a)", "a+", "a?", "a|b", "a\\.b", "a{", "a}")) {
            assertTrue(KeyPattern.parse(text) instanceof Regex, text);
        }
        assertTrue(KeyPattern.parse("a.b:-_/~!@#%&=,;'\"<> \n*") instanceof Glob);
        assertTrue(KeyPattern.parse("a.b:-_/~!@#%&=,;'\"<> \n") instanceof Exact);
    }

    @Test
    void a_wrong_expression_is_refused_with_the_error_and_its_position() {
        refused("user:[", "missing closing ] at character 6: `[`");
        refused("(", "missing closing ) for the `(` at character 1");
        refused("(a(b", "missing closing ) for the `(` at character 3");
        refused("a)", "unexpected ) at character 2: nothing before it is open");
        refused("x(?", "invalid or unsupported Perl syntax at character 2: `(?`");
        refused("*(a)", "missing argument to repetition operator at character 1: `*`");
        refused("a{3,2}", "invalid repeat count at character 2: `{3,2}`");
        refused("[z-a]", "invalid character class range at character 2: `z-a`");
        refused("a\\", "trailing backslash at end of expression at character 2: `\\`");
        refused("(?<n", "invalid named capture at character 1: `(?<n`");
        refused("(a)\\1", "references to groups are not supported (the syntax is RE2's) at character 4: `\\1`");
        refused("(?=a)b", "looking ahead or behind is not supported (the syntax is RE2's) at character 1: `(?=`");
        refused("(?<!a)b", "looking ahead or behind is not supported (the syntax is RE2's) at character 1: `(?<!a)b`");
        refused("🚀a++", "invalid nested repetition operator at character 3: `++`");
        refused("\\y[\\y]", "invalid escape sequence: `\\y`");
        refused("ab{1001}", "more than 1,000 repeats (a count within a count multiplies it) at character 3");
    }

    @Test
    void a_pattern_has_1_to_1024_characters() {
        refused("", "must have 1 to 1,024 characters, not 0");
        refused("a".repeat(1025), "must have 1 to 1,024 characters, not 1025");
        refused("(".repeat(100_000), "must have 1 to 1,024 characters, not 100000");
        matches("🚀".repeat(1023) + "*", List.of("🚀".repeat(1023), "b"), List.of("🚀".repeat(1023)));
    }

    @Test
    void an_unpaired_surrogate_is_refused() {
        refused("ab\ud83d*", "the character at position 3 is half of a surrogate pair; send both halves");
    }

    private static void matches(String pattern, List<String> keys, List<String> expected) {
        assertEquals(expected, KeyPattern.parse(pattern).matching(keys), pattern);
        assertEquals(pattern, KeyPattern.parse(pattern).text());
    }

    private static void refused(String pattern, String why) {
        Refused refused = assertThrows(Refused.class, () -> KeyPattern.parse(pattern), pattern);
        assertEquals("pattern: " + why, refused.getMessage());
        assertEquals(400, refused.problem().status());
    }
}
