package dev.freshet.cache.pattern;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

/** The patterns that were asked for lately, compiled. One that is refused is not kept: to refuse is quick. */
public final class Patterns {
    /** A thousand usual ones, or fewer that are large. */
    private static final int USUAL = 50;

    private static final long MOST = 1000 * USUAL;

    private final Cache<String, KeyPattern> compiled = Caffeine.newBuilder()
            .maximumWeight(MOST)
            .weigher((String text, KeyPattern pattern) ->
                    pattern instanceof Regex regex ? Math.max(USUAL, regex.weight()) : USUAL)
            .executor(Runnable::run)
            .build();

    public KeyPattern of(String text) {
        // nothing longer than a pattern may be is kept as a key, nor compared with one
        return text.length() > 2 * KeyPattern.LONGEST ? KeyPattern.parse(text) : compiled.get(text, KeyPattern::parse);
    }

    long size() {
        compiled.cleanUp();
        return compiled.estimatedSize();
    }
}
