package dev.freshet.cache.pattern;

/** The key itself. */
public record Exact(String text) implements KeyPattern {
    @Override
    public boolean matches(String key) {
        return text.equals(key);
    }

    @Override
    public Narrowing narrowing() {
        return Narrowing.exactly(text);
    }
}
