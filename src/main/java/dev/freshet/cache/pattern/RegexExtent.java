package dev.freshet.cache.pattern;

/** Finds the end of a character class or an escape, as RE2/J reads it. */
final class RegexExtent {
    private static final String CLASS_ESCAPES = "dDsSwWpP";

    private RegexExtent() {}

    /** The end of the bracketed class that begins here. */
    static int ofClass(String text, int from) {
        int at = from + 1;
        if (text.startsWith("^", at)) {
            at++;
        }
        int first = at;
        while (at < text.length() && (text.charAt(at) != ']' || at == first)) {
            at = ofMembers(text, at);
        }
        return at + 1;
    }

    /** A named class, an escaped class, a character, or a range of characters. */
    private static int ofMembers(String text, int from) {
        int named = text.startsWith("[:", from) ? text.indexOf(":]", from) : -1;
        if (named >= 0) {
            return named + 2;
        }
        if (text.charAt(from) == '\\'
                && from + 1 < text.length()
                && CLASS_ESCAPES.indexOf(text.charAt(from + 1)) >= 0) {
            return ofEscape(text, from);
        }
        int end = ofCharacter(text, from);
        return text.startsWith("-", end) && !text.startsWith("-]", end) ? ofCharacter(text, end + 1) : end;
    }

    private static int ofCharacter(String text, int from) {
        if (from >= text.length()) {
            return text.length();
        }
        return text.charAt(from) == '\\' ? ofEscape(text, from) : from + Character.charCount(text.codePointAt(from));
    }

    /** The end of an escape of one character or of a class. */
    static int ofEscape(String text, int from) {
        int next = from + 1;
        if (next >= text.length()) {
            return next;
        }
        char letter = text.charAt(next);
        boolean isUnicodeClass = letter == 'p' || letter == 'P';
        if ((letter == 'x' || isUnicodeClass) && text.startsWith("{", next + 1)) {
            int end = text.indexOf('}', next);
            return end < 0 ? text.length() : end + 1;
        }
        if (letter == 'x') {
            return next + 3;
        }
        if (isOctal(letter)) {
            int end = next + 1;
            while (end < Math.min(next + 3, text.length()) && isOctal(text.charAt(end))) {
                end++;
            }
            return end;
        }
        int last = isUnicodeClass ? next + 1 : next;
        return last < text.length() ? last + Character.charCount(text.codePointAt(last)) : last;
    }

    private static boolean isOctal(char letter) {
        return letter >= '0' && letter <= '7';
    }
}
