package dev.freshet.cache.pattern;

import java.util.List;

/**
 * Derives from a valid regular expression what every match contains. It understands only a little: sequences of
 * literals, also in groups, and parts that occur at least once. Whatever it does not understand for certain
 * (alternatives, optional parts, flags) contributes nothing.
 */
final class RequiredLiterals {
    /**
     * @param only the single text that this part matches, or null
     * @param begins the part contains an assertion that the key begins there, so whatever precedes it is empty
     * @param ends the part contains an assertion that the key ends there
     */
    private record Part(String only, String prefix, String suffix, String infix, boolean begins, boolean ends) {
        private static final Part ANYTHING = new Part(null, "", "", "", false, false);
        private static final Part EMPTY = exactly("", false, false);

        private static Part exactly(String only, boolean begins, boolean ends) {
            return new Part(only, only, only, only, begins, ends);
        }

        private Part then(Part next) {
            return new Part(
                    only == null || next.only == null ? null : only + next.only,
                    only == null ? prefix : only + next.prefix,
                    next.only == null ? next.suffix : suffix + next.only,
                    longest(longest(infix, next.infix), suffix + next.prefix),
                    begins || next.begins,
                    ends || next.ends);
        }

        private Part repeated(int least, int most) {
            return least == 0
                    ? ANYTHING
                    : least == 1 && most == 1 ? this : new Part(null, prefix, suffix, infix, begins, ends);
        }

        private static String longest(String one, String other) {
            return other.length() > one.length() ? other : one;
        }
    }

    private final List<RegexToken> tokens;
    private int at;

    private RequiredLiterals(List<RegexToken> tokens) {
        this.tokens = tokens;
    }

    static Narrowing of(List<RegexToken> tokens) {
        if (tokens.stream().anyMatch(token -> token.kind() == RegexToken.Kind.FLAGS)) {
            return Narrowing.NONE;
        }
        Part whole = new RequiredLiterals(tokens).level();
        if (whole.only != null && whole.begins && whole.ends) {
            return Narrowing.exactly(whole.only);
        }
        return Narrowing.of(whole.begins ? whole.prefix : "", whole.ends ? whole.suffix : "", whole.infix);
    }

    /** Reads up to the end of the open group, or of the whole expression. */
    private Part level() {
        Part done = Part.EMPTY;
        Part last = Part.EMPTY;
        boolean alternatives = false;
        while (at < tokens.size() && tokens.get(at).kind() != RegexToken.Kind.CLOSE) {
            RegexToken token = tokens.get(at++);
            if (token.kind() == RegexToken.Kind.REPEAT) {
                last = last.repeated(token.least(), token.most());
            } else {
                done = done.then(last);
                last = part(token);
                alternatives |= token.kind() == RegexToken.Kind.OR;
            }
        }
        return alternatives ? Part.ANYTHING : done.then(last);
    }

    private Part part(RegexToken token) {
        return switch (token.kind()) {
            case LITERAL -> Part.exactly(Character.toString(token.character()), false, false);
            case BEGIN -> Part.exactly("", true, false);
            case END -> Part.exactly("", false, true);
            case BETWEEN -> Part.EMPTY;
            case OPEN -> group();
            default -> Part.ANYTHING;
        };
    }

    private Part group() {
        Part inside = level();
        at++;
        return inside;
    }
}
