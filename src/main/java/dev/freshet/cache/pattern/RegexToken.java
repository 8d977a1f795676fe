package dev.freshet.cache.pattern;

import java.util.List;

/**
 * A piece of a regular expression, cut where RE2/J cuts a valid one. Of an invalid one the pieces mean little, but
 * there are always some.
 *
 * @param at where it begins, counted in Java's chars
 * @param least how often that before it is repeated at least, if it is a REPEAT
 * @param most … and at most; UNBOUNDED
 */
record RegexToken(Kind kind, int at, int character, int least, int most) {
    enum Kind {
        /** A character that stands for itself. */
        LITERAL,
        /** A character of several. */
        CLASS,
        BEGIN,
        END,
        /** A condition between two characters. */
        BETWEEN,
        OPEN,
        CLOSE,
        OR,
        REPEAT,
        /** What changes how the rest is read. */
        FLAGS
    }

    static final int UNBOUNDED = -1;

    static List<RegexToken> of(String text) {
        return new RegexCutter(text).cut();
    }
}
