package dev.freshet.cache.pattern;

/** Texts for SQL's LIKE. */
public final class Like {
    private Like() {}

    /** @param glob * stands for any run of characters, everything else for itself */
    public static String of(String glob) {
        return literal(glob).replace("*", "%");
    }

    public static String literal(String text) {
        return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_");
    }
}
