package dev.freshet.cache.pattern;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.freshet.api.Refused;
import java.util.List;

/**
 * A regular expression in RE2 syntax, which must match somewhere in the key. Matching takes time linear in the key,
 * whatever the expression.
 */
public final class Regex implements KeyPattern {
    /**
     * RE2's own limit for a repeat count. It is applied to nested counts as well, because RE2/J would expand them until
     * memory runs out.
     */
    static final int MOST_REPEATS = 1000;
    /**
     * RE2/J recurses once for each step that consumes no character: 3,000 steps need up to 700 kB of a thread's 1 MB
     * stack, and 5,000 might need all of it.
     */
    static final int MOST_STEPS = 3000;

    private static final java.util.regex.Pattern UNICODE_CLASS = java.util.regex.Pattern.compile("\\\\[pP]");
    /** {@code \p{L}} is a table of some 5 kB. */
    private static final int STEPS_OF_A_UNICODE_CLASS = 20;

    private static final String MARKS = "^$[]()+?|\\{}";

    private final String text;
    private final Pattern pattern;
    private final Narrowing narrowing;

    private Regex(String text, Pattern pattern, Narrowing narrowing) {
        this.text = text;
        this.pattern = pattern;
        this.narrowing = narrowing;
    }

    static boolean isMeantBy(String text) {
        return text.chars().anyMatch(character -> MARKS.indexOf(character) >= 0);
    }

    static Regex of(String text) {
        List<RegexToken> tokens = RegexToken.of(text);
        RegexSize size = RegexSize.of(tokens);
        if (size.repeats() > MOST_REPEATS) {
            throw new Refused(
                    400, "pattern: more than 1,000 repeats (a count within a count multiplies it)" + size.where(text));
        }
        if (size.steps() > MOST_STEPS) {
            throw new Refused(400, "pattern: unfolds to more than 3,000 steps" + size.where(text));
        }
        try {
            return new Regex(text, Pattern.compile(text), RequiredLiterals.of(tokens));
        } catch (PatternSyntaxException e) {
            throw new Refused(400, "pattern: " + RegexMistake.describe(text, tokens, e));
        } catch (StackOverflowError e) {
            throw new Refused(400, "pattern: is nested too deeply");
        }
    }

    @Override
    public String text() {
        return text;
    }

    @Override
    public boolean matches(String key) {
        try {
            return narrowing.allows(key) && pattern.matcher(key).find();
        } catch (StackOverflowError e) {
            throw new Refused(400, "pattern: is nested too deeply");
        }
    }

    @Override
    public Narrowing narrowing() {
        return narrowing;
    }

    int steps() {
        return pattern.programSize();
    }

    /** The memory that the pattern needs, in steps. */
    int weight() {
        return steps() + (int) UNICODE_CLASS.matcher(text).results().count() * STEPS_OF_A_UNICODE_CLASS;
    }

    @Override
    public String toString() {
        return text;
    }
}
