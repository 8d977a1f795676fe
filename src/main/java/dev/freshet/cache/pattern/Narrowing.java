package dev.freshet.cache.pattern;

/**
 * Conditions that every key matching a pattern fulfils, so that an index can search for them first. They are never
 * stricter than the pattern: a key that does not fulfil them does not match, and one that does still has to be tested.
 * A component is null if nothing is known.
 *
 * @param exact the only key that can match
 * @param prefix what every match begins with
 * @param suffix what every match ends with
 * @param infix what every match contains: the longest such literal that is known, even if it is the prefix or the
 *     suffix
 */
public record Narrowing(String exact, String prefix, String suffix, String infix) {
    /** What to search for: the condition with the longest literal, and of equal ones the first in this order. */
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

    /** The length of the longest literal in characters: with fewer than three, a trigram index cannot search. */
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
