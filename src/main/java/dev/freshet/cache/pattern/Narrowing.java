package dev.freshet.cache.pattern;

/**
 * What holds for every key that a pattern matches, so that an index may look for it first. It never says more than the
 * pattern does: a key that does not fulfil it does not match, one that does is still to be matched. A member is null
 * where nothing is known.
 *
 * @param exact the only key that can match
 * @param prefix what every match begins with
 * @param suffix what every match ends with
 * @param infix what every match holds somewhere: the longest such literal that is known, also if it is the prefix or
 * the suffix
 */
public record Narrowing(String exact, String prefix, String suffix, String infix) {
    /** What to look for: that with the longest literal, and among equals what comes first here. */
    public enum By {
        EXACT,
        PREFIX,
        SUFFIX,
        INFIX,
        NOTHING
    }

    public static final Narrowing NONE = new Narrowing(null, null, null, null);

    static Narrowing exactly(String key) {
        String literal = orNull(key);
        return new Narrowing(key, literal, literal, literal);
    }

    static Narrowing of(String prefix, String suffix, String infix) {
        return new Narrowing(null, orNull(prefix), orNull(suffix), orNull(infix));
    }

    public By by() {
        int longest = literalCharacters();
        return exact != null
                ? By.EXACT
                : longest == 0
                        ? By.NOTHING
                        : characters(prefix) == longest
                                ? By.PREFIX
                                : characters(suffix) == longest ? By.SUFFIX : By.INFIX;
    }

    /** How many characters the longest literal has: below three, an index over trigrams has nothing to look for. */
    public int literalCharacters() {
        return characters(infix);
    }

    boolean allows(String key) {
        return (exact == null || key.equals(exact))
                && (prefix == null || key.startsWith(prefix))
                && (suffix == null || key.endsWith(suffix))
                && (infix == null || key.contains(infix));
    }

    private static int characters(String literal) {
        return literal == null ? 0 : literal.codePointCount(0, literal.length());
    }

    private static String orNull(String literal) {
        return literal.isEmpty() ? null : literal;
    }
}
