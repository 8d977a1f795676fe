package dev.freshet.cache.pattern;

import java.util.List;

/**
 * A piece of a regular expression, cut where RE2/J cuts a valid one. The pieces of an invalid expression mean little,
 * but there are always some.
 *
 * @param at the index at which it begins, in Java chars
 * @param least for a REPEAT, the minimum number of repetitions of what precedes
 * @param most the maximum number; UNBOUNDED if there is none
 */
record RegexToken(Kind kind, int at, int character, int least, int most) {
    enum Kind {
        /** A character that stands for itself. */
        LITERAL,
        /** One character out of several. */
        CLASS,
        BEGIN,
        END,
        /** A condition between two characters. */
        BETWEEN,
        OPEN,
        CLOSE,
        OR,
        REPEAT,
        /** Changes how the rest is read. */
        FLAGS
    }

    static final int UNBOUNDED = -1;

    static List<RegexToken> of(String text) {
        return new RegexCutter(text).cut();
    }
}
