package dev.freshet.cache.pattern;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

/** A cache of recently used patterns in compiled form. Refused patterns are not kept, because refusing is fast. */
public final class Patterns {
    /** Weight of an ordinary pattern: the cache holds a thousand of these, or fewer large ones. */
    private static final int USUAL = 50;

    private static final long MOST = 1000 * USUAL;

    private final Cache<String, KeyPattern> compiled = Caffeine.newBuilder()
            .maximumWeight(MOST)
            .weigher((String text, KeyPattern pattern) ->
                    pattern instanceof Regex regex ? Math.max(USUAL, regex.weight()) : USUAL)
            .executor(Runnable::run)
            .build();

    public KeyPattern of(String text) {
        // a text longer than a pattern may be is neither kept as a key nor compared with one
        return text.length() > 2 * KeyPattern.LONGEST ? KeyPattern.parse(text) : compiled.get(text, KeyPattern::parse);
    }

    long size() {
        compiled.cleanUp();
        return compiled.estimatedSize();
    }
}
