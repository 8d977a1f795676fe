package dev.freshet.cache.pattern;

import dev.freshet.cache.pattern.RegexToken.Kind;
import java.util.ArrayList;
import java.util.List;

/** Cuts a regular expression into tokens. */
final class RegexCutter {
    private static final String FLAG_LETTERS = "imsU-";

    private final String text;
    private final List<RegexToken> tokens = new ArrayList<>();
    private int at;

    RegexCutter(String text) {
        this.text = text;
    }

    List<RegexToken> cut() {
        while (at < text.length()) {
            switch (text.charAt(at)) {
                case '(' -> open();
                case ')' -> single(Kind.CLOSE);
                case '|' -> single(Kind.OR);
                case '^' -> single(Kind.BEGIN);
                case '$' -> single(Kind.END);
                case '.' -> single(Kind.CLASS);
                case '[' -> add(Kind.CLASS, RegexExtent.ofClass(text, at));
                case '*' -> repeat(1, 0, RegexToken.UNBOUNDED);
                case '+' -> repeat(1, 1, RegexToken.UNBOUNDED);
                case '?' -> repeat(1, 0, 1);
                case '{' -> count();
                case '\\' -> escape();
                default -> literal();
            }
        }
        return tokens;
    }

    private void add(Kind kind, int end) {
        tokens.add(new RegexToken(kind, at, 0, 0, 0));
        at = Math.min(end, text.length());
    }

    private void single(Kind kind) {
        add(kind, at + 1);
    }

    private void literal() {
        int character = text.codePointAt(at);
        tokens.add(new RegexToken(Kind.LITERAL, at, character, 0, 0));
        at += Character.charCount(character);
    }

    private void open() {
        if (text.startsWith("(?P<", at) || text.startsWith("(?<", at)) {
            int end = text.indexOf('>', at);
            add(Kind.OPEN, end < 0 ? text.length() : end + 1);
        } else if (text.startsWith("(?", at)) {
            int end = at + 2;
            while (end < text.length() && FLAG_LETTERS.indexOf(text.charAt(end)) >= 0) {
                end++;
            }
            boolean group = !text.startsWith(")", end);
            if (!group || end > at + 2) {
                tokens.add(new RegexToken(Kind.FLAGS, at, 0, 0, 0));
            }
            if (group) {
                add(Kind.OPEN, end + 1);
            } else {
                at = end + 1;
            }
        } else {
            single(Kind.OPEN);
        }
    }

    private void repeat(int length, int least, int most) {
        int start = at;
        at += length;
        if (text.startsWith("?", at)) {
            at++;
        }
        tokens.add(new RegexToken(Kind.REPEAT, start, 0, least, most));
    }

    /** {n}, {n,} or {n,m}; anything else in braces stands for itself. */
    private void count() {
        int comma = digits(at + 1);
        int least = number(at + 1, comma);
        boolean range = text.startsWith(",", comma);
        int end = range ? digits(comma + 1) : comma;
        int most = !range ? least : end == comma + 1 ? RegexToken.UNBOUNDED : number(comma + 1, end);
        boolean isCount = least >= 0 && (most >= 0 || range && end == comma + 1) && text.startsWith("}", end);
        if (isCount) {
            repeat(end + 1 - at, least, most);
        } else {
            literal();
        }
    }

    private int digits(int from) {
        int end = from;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        return end;
    }

    /** -1 for what RE2/J does not read as a number. A number that it refuses as too big is also big here. */
    private int number(int from, int to) {
        if (from == to || to > from + 1 && text.charAt(from) == '0') {
            return -1;
        }
        return to - from > 6 ? 1_000_000 : Integer.parseInt(text.substring(from, to));
    }

    private void escape() {
        char letter = at + 1 < text.length() ? text.charAt(at + 1) : '\\';
        if (letter == 'Q') {
            quoted();
        } else if (letter == 'A') {
            add(Kind.BEGIN, at + 2);
        } else if (letter == 'z') {
            add(Kind.END, at + 2);
        } else if (letter == 'b' || letter == 'B') {
            add(Kind.BETWEEN, at + 2);
        } else if (isLetterOrDigit(letter)) {
            add(Kind.CLASS, RegexExtent.ofEscape(text, at));
        } else {
            at = Math.min(at + 1, text.length() - 1);
            literal();
        }
    }

    private void quoted() {
        int end = text.indexOf("\\E", at + 2);
        at += 2;
        while (at < (end < 0 ? text.length() : end)) {
            literal();
        }
        at = end < 0 ? text.length() : end + 2;
    }

    private static boolean isLetterOrDigit(char letter) {
        return letter >= '0' && letter <= '9' || letter >= 'A' && letter <= 'Z' || letter >= 'a' && letter <= 'z';
    }
}
