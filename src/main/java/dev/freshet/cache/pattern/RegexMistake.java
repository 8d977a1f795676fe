package dev.freshet.cache.pattern;

import com.google.re2j.PatternSyntaxException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/** Describes what is wrong with a regular expression, and where. */
final class RegexMistake {
    private static final int LONGEST_FRAGMENT = 40;
    private static final Pattern LOOK_AROUND = Pattern.compile("\\(\\?<?[=!].*", Pattern.DOTALL);
    private static final Pattern BACK_REFERENCE = Pattern.compile("\\\\[1-9k]");

    private RegexMistake() {}

    static String describe(String text, List<RegexToken> tokens, PatternSyntaxException mistake) {
        String what = mistake.getDescription();
        String fragment = mistake.getPattern();
        if (fragment == null || fragment.isEmpty()) {
            return what + " at character " + KeyPattern.position(text, text.length() - 1) + ": `"
                    + text.substring(text.length() - 1) + "`";
        }
        if (what.startsWith("missing closing )") || fragment.equals("stack underflow")) {
            return parenthesis(text, tokens);
        }
        if (LOOK_AROUND.matcher(fragment).matches()) {
            what = "looking ahead or behind is not supported (the syntax is RE2's)";
        } else if (BACK_REFERENCE.matcher(fragment).matches()) {
            what = "references to groups are not supported (the syntax is RE2's)";
        }
        return what + place(text, fragment) + ": `" + shortened(fragment) + "`";
    }

    /** RE2/J only says that there is an error of this kind. */
    private static String parenthesis(String text, List<RegexToken> tokens) {
        Deque<Integer> open = new ArrayDeque<>();
        for (RegexToken token : tokens) {
            if (token.kind() == RegexToken.Kind.OPEN) {
                open.push(token.at());
            } else if (token.kind() == RegexToken.Kind.CLOSE && open.poll() == null) {
                return "unexpected ) at character " + KeyPattern.position(text, token.at())
                        + ": nothing before it is open";
            }
        }
        return "missing closing ) for the `(`"
                + (open.isEmpty() ? "" : " at character " + KeyPattern.position(text, open.peek()));
    }

    /** RE2/J reports the fragment and not its position. If the text contains it twice, the position is left out. */
    private static String place(String text, String fragment) {
        int first = text.indexOf(fragment);
        boolean isPlain = first >= 0 && first == text.lastIndexOf(fragment);
        return isPlain ? " at character " + KeyPattern.position(text, first) : "";
    }

    private static String shortened(String fragment) {
        int length = fragment.codePointCount(0, fragment.length());
        return length <= LONGEST_FRAGMENT
                ? fragment
                : fragment.substring(0, fragment.offsetByCodePoints(0, LONGEST_FRAGMENT)) + "…";
    }
}
