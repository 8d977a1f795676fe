package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.cache.pattern.Exact;
import dev.freshet.cache.pattern.Glob;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.cache.pattern.Like;
import dev.freshet.cache.pattern.Regex;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a user would invalidate: a tag, a pattern with {@code *}, or a regular expression, distinguished as in section 5
 * of the contract.
 */
record TagPattern(KeyPattern pattern) {
    enum Kind {
        tag,
        glob,
        regex
    }

    private static final int LONGEST_TAG = 256;
    private static final Pattern PLACE = Pattern.compile("\\{\\{|}}|\\{\"(?:[^\"]|\"\")*\"}|\\{[^{}]*}|[^{}]");
    private static final char ANY = '\0';

    static TagPattern of(Object tag, Object pattern) {
        if ((tag == null) == (pattern == null)) {
            throw new Refused(400, "tag: give a tag or a pattern, one of the two");
        }
        String text = String.valueOf(tag == null ? pattern : tag);
        if (text.indexOf(0) >= 0) {
            throw new Refused(400, (tag == null ? "pattern" : "tag") + ": must not hold the character NUL");
        }
        if (tag == null) {
            // refused here as the invalidation would refuse it, in the same words
            return new TagPattern(KeyPattern.parse(text));
        }
        if (text.isEmpty() || text.length() > LONGEST_TAG) {
            throw new Refused(400, "tag: must have 1 to " + LONGEST_TAG + " characters");
        }
        return new TagPattern(new Exact(text));
    }

    String text() {
        return pattern.text();
    }

    Kind kind() {
        return pattern instanceof Regex ? Kind.regex : pattern instanceof Glob ? Kind.glob : Kind.tag;
    }

    /** For SQL's LIKE: covers everything that the pattern matches; for a regular expression, it also covers more. */
    String like() {
        return switch (kind()) {
            case tag -> Like.literal(text());
            case glob -> Like.of(text());
            case regex ->
                pattern.narrowing().infix() == null
                        ? "%"
                        : '%' + Like.literal(pattern.narrowing().infix()) + '%';
        };
    }

    /**
     * Whether a template such as {@code course:{id}} can produce a tag that this pattern matches; for a regular
     * expression this is unknown.
     */
    boolean takesSomeOf(String template) {
        List<Character> own = new ArrayList<>();
        text().chars().forEach(c -> own.add(kind() == Kind.glob && c == '*' ? ANY : (char) c));
        return kind() != Kind.regex && meet(own, places(template));
    }

    /** Whether the template can have produced this tag. */
    static boolean makes(String template, String tag) {
        return meet(tag.chars().mapToObj(c -> (char) c).toList(), places(template));
    }

    private static List<Character> places(String template) {
        List<Character> places = new ArrayList<>();
        PLACE.matcher(template).results().forEach(place -> {
            String piece = place.group();
            places.add(piece.length() == 1 || piece.equals("{{") || piece.equals("}}") ? piece.charAt(0) : ANY);
        });
        return places;
    }

    /** Whether there is a text that both match, where ANY stands for any run of characters. */
    private static boolean meet(List<Character> one, List<Character> other) {
        boolean[][] met = new boolean[one.size() + 1][other.size() + 1];
        for (int i = 0; i <= one.size(); i++) {
            for (int j = 0; j <= other.size(); j++) {
                boolean anyHere = i > 0 && one.get(i - 1) == ANY;
                boolean anyThere = j > 0 && other.get(j - 1) == ANY;
                met[i][j] = i == 0 && j == 0
                        || anyHere && (met[i - 1][j] || j > 0 && met[i][j - 1])
                        || anyThere && (met[i][j - 1] || i > 0 && met[i - 1][j])
                        || i > 0 && j > 0 && met[i - 1][j - 1] && one.get(i - 1).equals(other.get(j - 1));
            }
        }
        return met[one.size()][other.size()];
    }
}
