package dev.freshet.cache.pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.cache.pattern.Narrowing.By;
import org.junit.jupiter.api.Test;

/** What an index may look for. */
class NarrowingTest {
    @Test
    void of_a_key_and_of_globs() {
        narrows("user:123", By.EXACT, "user:123", "user:123", "user:123", "user:123");
        narrows("user:123:*", By.PREFIX, null, "user:123:", null, "user:123:");
        narrows("*:profile", By.SUFFIX, null, null, ":profile", ":profile");
        narrows("*:123:*", By.INFIX, null, null, null, ":123:");
        narrows("a*:3000:*z", By.INFIX, null, "a", "z", ":3000:");
        narrows("ab*ba", By.PREFIX, null, "ab", "ba", "ab");
        narrows("**", By.NOTHING, null, null, null, null);
    }

    @Test
    void of_literals_and_anchors() {
        narrows("^user:1$", By.EXACT, "user:1", "user:1", "user:1", "user:1");
        narrows("^$", By.EXACT, "", null, null, null);
        narrows("\\Auser\\.1\\z", By.EXACT, "user.1", "user.1", "user.1", "user.1");
        narrows("^user:[0-9]+$", By.PREFIX, null, "user:", null, "user:");
        narrows("^user:4001:(profile|settings)$", By.PREFIX, null, "user:4001:", null, "user:4001:");
        narrows("[0-9]:cart$", By.SUFFIX, null, null, ":cart", ":cart");
        narrows(":5001:(feed|inbox)", By.INFIX, null, null, null, ":5001:");
        narrows("user:(123|456)", By.INFIX, null, null, null, "user:");
        narrows("user\\.1", By.INFIX, null, null, null, "user.1");
        narrows("rx:$", By.SUFFIX, null, null, "rx:", "rx:");
    }

    @Test
    void of_groups_and_repeats() {
        narrows("(us(?:er):)(?P<id>12)3+", By.INFIX, null, null, null, "user:123");
        narrows("a+b", By.INFIX, null, null, null, "ab");
        narrows("colou?r", By.INFIX, null, null, null, "colo");
        narrows("^ab{2,3}c", By.PREFIX, null, "ab", null, "ab");
        narrows("(ab)+(ab)", By.INFIX, null, null, null, "abab");
        narrows("x\\Qa+b\\E", By.INFIX, null, null, null, "xa+b");
        narrows("a\\b-b", By.INFIX, null, null, null, "a-b");
        narrows("a{,3}b", By.INFIX, null, null, null, "a{,3}b");
        narrows("^(a|b)*xyz", By.INFIX, null, null, null, "xyz");
    }

    @Test
    void is_not_claimed_where_it_is_not_sure() {
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
            narrows(text, By.NOTHING, null, null, null, null);
        }
        narrows("(^a|^b)c", By.INFIX, null, null, null, "c");
        narrows("(^ab)?c", By.INFIX, null, null, null, "c");
        narrows(".*^ab", By.INFIX, null, null, null, "ab");
        narrows("^*ab", By.INFIX, null, null, null, "ab");
    }

    @Test
    void counts_the_characters_of_the_longest_literal() {
        assertEquals(3, KeyPattern.parse("*🚀🚀🚀*").narrowing().literalCharacters());
        assertEquals(2, KeyPattern.parse("a*bc*d").narrowing().literalCharacters());
        assertEquals(0, KeyPattern.parse("*").narrowing().literalCharacters());
    }

    private static void narrows(String pattern, By by, String exact, String prefix, String suffix, String infix) {
        Narrowing narrowing = KeyPattern.parse(pattern).narrowing();
        assertEquals(new Narrowing(exact, prefix, suffix, infix), narrowing, pattern);
        assertEquals(by, narrowing.by(), pattern);
    }
}
