package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.cache.pattern.Narrowing.By;
import org.junit.jupiter.api.Test;

/** What an index may be searched for. */
class NarrowingTest {
    @Test
    void keys_and_globs_are_narrowed() {
        assertNarrows("user:123", By.EXACT, "user:123", "user:123", "user:123", "user:123");
        assertNarrows("user:123:*", By.PREFIX, null, "user:123:", null, "user:123:");
        assertNarrows("*:profile", By.SUFFIX, null, null, ":profile", ":profile");
        assertNarrows("*:123:*", By.INFIX, null, null, null, ":123:");
        assertNarrows("a*:3000:*z", By.INFIX, null, "a", "z", ":3000:");
        assertNarrows("ab*ba", By.PREFIX, null, "ab", "ba", "ab");
        assertNarrows("**", By.NOTHING, null, null, null, null);
    }

    @Test
    void literals_and_anchors_are_narrowed() {
        assertNarrows("^user:1$", By.EXACT, "user:1", "user:1", "user:1", "user:1");
        assertNarrows("^$", By.EXACT, "", null, null, null);
        assertNarrows("\\Auser\\.1\\z", By.EXACT, "user.1", "user.1", "user.1", "user.1");
        assertNarrows("^user:[0-9]+$", By.PREFIX, null, "user:", null, "user:");
        assertNarrows("^user:4001:(profile|settings)$", By.PREFIX, null, "user:4001:", null, "user:4001:");
        assertNarrows("[0-9]:cart$", By.SUFFIX, null, null, ":cart", ":cart");
        assertNarrows(":5001:(feed|inbox)", By.INFIX, null, null, null, ":5001:");
        assertNarrows("user:(123|456)", By.INFIX, null, null, null, "user:");
        assertNarrows("user\\.1", By.INFIX, null, null, null, "user.1");
        assertNarrows("rx:$", By.SUFFIX, null, null, "rx:", "rx:");
    }

    @Test
    void groups_and_repeats_are_narrowed() {
        assertNarrows("(us(?:er):)(?P<id>12)3+", By.INFIX, null, null, null, "user:123");
        assertNarrows("a+b", By.INFIX, null, null, null, "ab");
        assertNarrows("colou?r", By.INFIX, null, null, null, "colo");
        assertNarrows("^ab{2,3}c", By.PREFIX, null, "ab", null, "ab");
        assertNarrows("(ab)+(ab)", By.INFIX, null, null, null, "abab");
        assertNarrows("x\\Qa+b\\E", By.INFIX, null, null, null, "xa+b");
        assertNarrows("a\\b-b", By.INFIX, null, null, null, "a-b");
        assertNarrows("a{,3}b", By.INFIX, null, null, null, "a{,3}b");
        assertNarrows("^(a|b)*xyz", By.INFIX, null, null, null, "xyz");
    }

    @Test
    void uncertain_patterns_are_not_narrowed() {
        for (String text : new String[] {
            "a|b",
            "^a|b$",
            "(?i)user",
            "(?m)^a$",
            "us(?s)er",
            "(?i:a)b",
            "(abc)?",
            "(abc){0,2}",
            "[a]",
            "\\x41\\x{42}",
            "(a|)",
            "\\pL",
            ".+"
        }) {
            assertNarrows(text, By.NOTHING, null, null, null, null);
        }
        assertNarrows("(^a|^b)c", By.INFIX, null, null, null, "c");
        assertNarrows("(^ab)?c", By.INFIX, null, null, null, "c");
        assertNarrows(".*^ab", By.INFIX, null, null, null, "ab");
        assertNarrows("^*ab", By.INFIX, null, null, null, "ab");
    }

    @Test
    void the_characters_of_the_longest_literal_are_counted() {
        assertEquals(3, KeyPattern.parse("*🚀🚀🚀*").narrowing().literalCharacters());
        assertEquals(2, KeyPattern.parse("a*bc*d").narrowing().literalCharacters());
        assertEquals(0, KeyPattern.parse("*").narrowing().literalCharacters());
    }

    private static void assertNarrows(String pattern, By by, String exact, String prefix, String suffix, String infix) {
        Narrowing narrowing = KeyPattern.parse(pattern).narrowing();
        assertEquals(new Narrowing(exact, prefix, suffix, infix), narrowing, pattern);
        assertEquals(by, narrowing.by(), pattern);
    }
}
