package dev.freshet.cache.pattern;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The size of a regular expression when it is expanded, computed without expanding it: {@code (a{1000}){1000}} is short
 * to write.
 *
 * @param steps of the program; never fewer than RE2/J makes
 * @param repeats the largest product of nested repeat counts
 * @param widest the count that multiplies most, or null
 */
record RegexSize(long steps, long repeats, RegexToken widest) {
    private static final long MUCH = 1L << 40;

    /** An open group: what precedes in it, and its last part, to which a following count would apply. */
    private static final class Level {
        private long steps;
        private long repeats = 1;
        private long lastSteps;
        private long lastRepeats = 1;

        private void part(long partSteps, long partRepeats) {
            steps += lastSteps;
            repeats = Math.max(repeats, lastRepeats);
            lastSteps = partSteps;
            lastRepeats = partRepeats;
        }
    }

    static RegexSize of(List<RegexToken> tokens) {
        Deque<Level> levels = new ArrayDeque<>();
        levels.push(new Level());
        long most = 0;
        RegexToken widest = null;
        for (RegexToken token : tokens) {
            Level level = levels.peek();
            switch (token.kind()) {
                case OPEN -> levels.push(new Level());
                case CLOSE -> close(levels);
                case REPEAT -> {
                    level.lastRepeats =
                            Math.min(MUCH, level.lastRepeats * Math.max(1, Math.max(token.least(), token.most())));
                    level.lastSteps = Math.min(MUCH, repeated(level.lastSteps, token.least(), token.most()));
                    long weight = Math.max(level.lastRepeats, level.lastSteps);
                    widest = weight > most ? token : widest;
                    most = Math.max(most, weight);
                }
                // an alternative may be empty
                case OR -> level.part(2, 1);
                case FLAGS -> {}
                default -> level.part(1, 1);
            }
        }
        while (levels.size() > 1) {
            close(levels);
        }
        Level whole = levels.pop();
        whole.part(0, 1);
        // and one step to fail, one to match
        return new RegexSize(Math.max(1, whole.steps) + 2, whole.repeats, widest);
    }

    String where(String text) {
        return widest == null ? "" : " at character " + KeyPattern.position(text, widest.at());
    }

    private static void close(Deque<Level> levels) {
        if (levels.size() > 1) {
            Level inner = levels.pop();
            inner.part(0, 1);
            // and the steps where the group begins and ends
            levels.peek().part(Math.max(1, inner.steps) + 2, inner.repeats);
        }
    }

    private static long repeated(long steps, int least, int most) {
        if (most == RegexToken.UNBOUNDED) {
            return Math.max(1, least) * steps + 2;
        }
        return Math.max(1, least * steps + Math.max(0, most - least) * (steps + 1));
    }
}
