package dev.freshet.cache.pattern;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Literals with any run of characters between them, including empty runs and line ends. No two literals overlap in the
 * key.
 */
public final class Glob implements KeyPattern {
    private final String text;
    private final String first;
    private final String last;
    private final List<String> between;
    private final Narrowing narrowing;

    private Glob(String text, List<String> literals) {
        this.text = text;
        this.first = literals.get(0);
        this.last = literals.get(literals.size() - 1);
        this.between = literals.subList(1, literals.size() - 1).stream()
                .filter(literal -> !literal.isEmpty())
                .toList();
        this.narrowing = Narrowing.of(
                first,
                last,
                literals.stream().max(Comparator.comparingInt(String::length)).orElseThrow());
    }

    static Glob of(String text) {
        return new Glob(text, Arrays.asList(text.split("\\*", -1)));
    }

    @Override
    public String text() {
        return text;
    }

    @Override
    public boolean matches(String key) {
        int end = key.length() - last.length();
        if (end < first.length() || !key.startsWith(first) || !key.endsWith(last)) {
            return false;
        }
        int at = first.length();
        for (String literal : between) {
            // the leftmost match leaves the most room for the following literals, so backtracking is not needed
            int found = key.indexOf(literal, at);
            if (found < 0 || found + literal.length() > end) {
                return false;
            }
            at = found + literal.length();
        }
        return true;
    }

    @Override
    public Narrowing narrowing() {
        return narrowing;
    }

    @Override
    public String toString() {
        return text;
    }
}
