package dev.freshet.console;

import dev.freshet.api.Refused;
import dev.freshet.pattern.KeyPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What somebody would invalidate: a tag, a pattern with {@code *}, or a regular expression, as section 5 of the contract tells them apart. */
record TagPattern(String text, Kind kind) {
    enum Kind { tag, glob, regex }

    private static final int LONGEST_TAG = 256;
    private static final int LONGEST_PATTERN = 1024;
    private static final Pattern REGEX = Pattern.compile("[\\^$\\[\\]()+?|\\\\{}]");
    private static final Pattern PLACE = Pattern.compile("\\{\\{|}}|\\{\"(?:[^\"]|\"\")*\"}|\\{[^{}]*}|[^{}]");
    private static final char ANY = '\0';

    static TagPattern of(Object tag, Object pattern) {
        if ((tag == null) == (pattern == null)) {
            throw new Refused(400, "tag: give a tag or a pattern, one of the two");
        }
        String text = String.valueOf(tag == null ? pattern : tag);
        int longest = tag == null ? LONGEST_PATTERN : LONGEST_TAG;
        if (text.isEmpty() || text.length() > longest || text.indexOf(0) >= 0) {
            throw new Refused(400, (tag == null ? "pattern" : "tag") + ": must have 1 to " + longest + " characters");
        }
        if (tag == null) {
            KeyPattern.parse(text);             // refused here as there, and in the same words
        }
        return new TagPattern(text, tag != null ? Kind.tag : REGEX.matcher(text).find() ? Kind.regex : text.indexOf('*') >= 0 ? Kind.glob : Kind.tag);
    }

    /** For SQL's LIKE; null when only {@link #regex} can say it. */
    String like() {
        String literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_");
        return switch (kind) {
            case tag -> literal;
            case glob -> literal.replace('*', '%');
            case regex -> null;
        };
    }

    String regex() {
        return kind == Kind.regex ? text : null;
    }

    /** Whether a template such as {@code course:{id}} can make a tag that this takes; of a regular expression nobody knows. */
    boolean takesSomeOf(String template) {
        List<Character> own = new ArrayList<>();
        text.chars().forEach(c -> own.add(kind == Kind.glob && c == '*' ? ANY : (char) c));
        return kind != Kind.regex && meet(own, places(template));
    }

    /** Whether the template can have made this tag. */
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

    /** Whether there is a text that both take, where ANY stands for whatever run of characters. */
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
