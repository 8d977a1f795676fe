package dev.freshet.cache.pattern;

import dev.freshet.api.Refused;
import java.util.List;

/** The keys that a caller means: a single one by its name, or all of a certain form. */
public sealed interface KeyPattern permits Exact, Glob, Regex {
    int LONGEST = 1024;

    /** The text as the caller wrote it. */
    String text();

    boolean matches(String key);

    /** What an index can search for before this pattern is applied. */
    Narrowing narrowing();

    default List<String> matching(List<String> keys) {
        return keys.stream().filter(this::matches).toList();
    }

    /** @throws Refused with what is wrong in the text, and where */
    static KeyPattern parse(String text) {
        int length = text.codePointCount(0, text.length());
        if (length < 1 || length > LONGEST) {
            throw new Refused(400, "pattern: must have 1 to 1,024 characters, not " + length);
        }
        int half = loneSurrogate(text);
        if (half >= 0) {
            throw new Refused(
                    400,
                    "pattern: the character at position " + position(text, half)
                            + " is half of a surrogate pair; send both halves");
        }
        if (Regex.isMeantBy(text)) {
            return Regex.of(text);
        }
        return text.indexOf('*') < 0 ? new Exact(text) : Glob.of(text);
    }

    /** Where no regular expression can be meant: only {@code *} has a meaning. */
    static KeyPattern glob(String text) {
        return Glob.of(text);
    }

    /** The position as a person counts: in characters, from 1. */
    static int position(String text, int index) {
        return text.codePointCount(0, index) + 1;
    }

    private static int loneSurrogate(String text) {
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int character = text.codePointAt(i);
            if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
                return i;
            }
        }
        return -1;
    }
}
