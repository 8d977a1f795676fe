package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.re2j.Pattern;
import dev.freshet.api.Refused;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Properties that must hold for every pattern, checked on many. A failure names the pattern and the key. */
class RandomPatternsTest {
    private static final String[] LETTERS = {"a", "b", "A", ":", "🚀", "é", "\n", "%", "_", ".", "-", "1"};
    private static final String[] MARKS = {
        "*",
        "^",
        "$",
        "[",
        "]",
        "(",
        ")",
        "+",
        "?",
        "|",
        "\\",
        "{",
        "}",
        "2",
        ",",
        "\\Q",
        "\\E",
        "(?i)",
        "(?:",
        "[^",
        "{2}",
        "\\d",
        "\\pL",
        "\\b",
        "\\x41",
        "[:alpha:]",
        "-",
        "<"
    };
    private static final String[] ATOMS = {
        ".",
        "[ab]",
        "[^a]",
        "[]a]",
        "[a-b1]",
        "[[:alpha:]:]",
        "[\\]a]",
        "[A-[:b]",
        "\\d",
        "\\w",
        "\\pL",
        "\\p{Lu}",
        "\\P{^Lu}",
        "\\x41",
        "\\x{61}",
        "\\101",
        "\\n",
        "\\b",
        "\\B",
        "^",
        "$",
        "\\A",
        "\\z",
        "\\.",
        "\\-",
        "\\Qa.\\E",
        "\\Q\\E",
        "{",
        "}",
        "]",
        "{,2}",
        "a{01}",
        "()",
        "(?:)",
        "(?i)",
        "(?-i)",
        "(?m)",
        "(?s)"
    };
    private static final String[] REPEATS = {
        "*", "+", "?", "*?", "+?", "??", "{0}", "{1}", "{2}", "{1,}", "{0,2}", "{2,3}", "{0,}?", "{1,2}?"
    };
    private static final String[] GROUPS = {"(", "(?:", "(?P<n%d>", "(?<n%d>", "(?i:", "(?s:", "(?m-i:"};

    private final Random random = new Random(20261121);
    private int names;

    @Test
    void a_glob_matches_according_to_its_definition() {
        int matched = 0;
        for (int i = 0; i < 60_000; i++) {
            String text = text(random.nextInt(5)) + "*" + text(random.nextInt(4)) + (random.nextBoolean() ? "*" : "")
                    + text(random.nextInt(3));
            KeyPattern pattern = KeyPattern.parse(text);
            String key = random.nextBoolean() ? text(random.nextInt(7)) : fill(text);
            boolean expected =
                    globMatches(text.codePoints().toArray(), 0, key.codePoints().toArray(), 0);
            assertEquals(expected, pattern.matches(key), () -> shown(text, key));
            assertNarrowed(pattern, key, expected);
            matched += expected ? 1 : 0;
        }
        assertTrue(matched > 10_000, "matches: " + matched);
    }

    @Test
    void a_regular_expression_matches_as_re2_does_and_within_its_narrowing() {
        int matched = 0;
        int narrowed = 0;
        for (int i = 0; i < 40_000; i++) {
            names = 0;
            String text = "(?:)" + expression(3);
            String pruned = random.nextInt(4) == 0 ? text : text.substring(4);
            if (!Regex.isMeantBy(pruned)) {
                continue;
            }
            KeyPattern pattern;
            try {
                pattern = KeyPattern.parse(pruned);
            } catch (Refused e) {
                continue;
            }
            Pattern re2 = Pattern.compile(pruned);
            narrowed += pattern.narrowing().literalCharacters() > 0 ? 1 : 0;
            for (int k = 0; k < 12; k++) {
                String key = k % 2 == 0 ? text(random.nextInt(8)) : likely(pruned);
                boolean expected = re2.matcher(key).find();
                assertNarrowed(pattern, key, expected);
                assertEquals(expected, pattern.matches(key), () -> shown(pruned, key));
                matched += expected ? 1 : 0;
            }
        }
        assertTrue(matched > 100_000, "matches: " + matched);
        assertTrue(narrowed > 10_000, "with a literal: " + narrowed);
    }

    @Test
    void an_expression_is_never_larger_than_estimated() {
        int valid = 0;
        for (int i = 0; i < 40_000; i++) {
            names = 0;
            String text = expression(4);
            int steps;
            try {
                steps = Pattern.compile(text).programSize();
            } catch (com.google.re2j.PatternSyntaxException e) {
                continue;
            }
            valid++;
            long thought = RegexSize.of(RegexToken.of(text)).steps();
            assertTrue(thought >= steps, () -> text + " has " + steps + " steps, not " + thought);
        }
        assertTrue(valid > 30_000, "valid: " + valid);
    }

    @Test
    void any_text_is_either_a_pattern_or_refused() {
        int valid = 0;
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + random.nextInt(8); n > 0; n--) {
                text.append(random.nextInt(3) == 0 ? pick(LETTERS) : pick(MARKS));
            }
            String key = text(random.nextInt(8));
            try {
                KeyPattern pattern = KeyPattern.parse(text.toString());
                if (pattern instanceof Regex) {
                    boolean expected =
                            Pattern.compile(text.toString()).matcher(key).find();
                    assertNarrowed(pattern, key, expected);
                    assertEquals(expected, pattern.matches(key), () -> shown(text.toString(), key));
                    valid++;
                }
            } catch (Refused e) {
                assertTrue(e.getMessage().startsWith("pattern: "), e.getMessage());
            }
        }
        assertTrue(valid > 10_000, "valid: " + valid);
    }

    private static void assertNarrowed(KeyPattern pattern, String key, boolean isMatch) {
        assertTrue(
                !isMatch || pattern.narrowing().allows(key),
                () -> shown(pattern.text(), key) + " is a match, but " + pattern.narrowing());
    }

    /** The definition itself: a star takes nothing, or one character and then again whatever it likes. */
    private static boolean globMatches(int[] pattern, int p, int[] key, int k) {
        if (p == pattern.length) {
            return k == key.length;
        }
        if (pattern[p] == '*') {
            return globMatches(pattern, p + 1, key, k) || k < key.length && globMatches(pattern, p, key, k + 1);
        }
        return k < key.length && pattern[p] == key[k] && globMatches(pattern, p + 1, key, k + 1);
    }

    private String expression(int depth) {
        StringBuilder text = new StringBuilder();
        for (int alternatives = random.nextInt(6) == 0 ? 2 : 1; alternatives > 0; alternatives--) {
            for (int parts = random.nextInt(5); parts > 0; parts--) {
                text.append(part(depth));
            }
            text.append(alternatives > 1 ? "|" : "");
        }
        return random.nextInt(5) == 0 ? "^" + text : random.nextInt(5) == 0 ? text + "$" : text.toString();
    }

    private String part(int depth) {
        int kind = random.nextInt(10);
        String part = kind < 5
                ? escaped(pick(LETTERS))
                : kind < 8 || depth == 0
                        ? pick(ATOMS)
                        : String.format(pick(GROUPS), names++) + expression(depth - 1) + ")";
        return random.nextInt(4) == 0 ? part + pick(REPEATS) : part;
    }

    private static String escaped(String letter) {
        return letter.equals(".") ? "\\." : letter;
    }

    /** A key composed of the pattern's own letters, so that it often matches. */
    private String likely(String pattern) {
        List<String> letters = new ArrayList<>();
        pattern.codePoints()
                .filter(c -> "^$[]()+?*|\\{}".indexOf(c) < 0 && random.nextInt(8) > 0)
                .forEach(c -> letters.add(Character.toString(c)));
        String key = String.join("", letters);
        return switch (random.nextInt(4)) {
            case 0 -> pick(LETTERS) + key;
            case 1 -> key + pick(LETTERS);
            case 2 -> key + key;
            default -> key;
        };
    }

    private String fill(String glob) {
        StringBuilder key = new StringBuilder();
        glob.codePoints().forEach(c -> key.append(c == '*' ? text(random.nextInt(3)) : Character.toString(c)));
        return key.toString();
    }

    private String text(int letters) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < letters; i++) {
            text.append(pick(LETTERS));
        }
        return text.toString();
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String shown(String pattern, String key) {
        return ("`" + pattern + "` and the key `" + key + "`").replace("\n", "\\n");
    }
}
