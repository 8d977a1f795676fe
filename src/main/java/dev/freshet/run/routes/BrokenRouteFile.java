package dev.freshet.run.routes;

import java.time.Instant;

/** A file that was not accepted. */
public record BrokenRouteFile(String file, Integer line, String why, Instant since) {
    private static final int LONGEST_WHY = 300;

    /** @param before the last good text, or null */
    static BrokenRouteFile of(String file, String text, String before, Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        String why = String.valueOf(cause.getMessage() == null ? cause : cause.getMessage())
                .strip()
                .replaceAll("\\s*\\R\\s*", " ");
        return new BrokenRouteFile(
                file,
                Lines.of(text, before, failure),
                why.length() > LONGEST_WHY ? why.substring(0, LONGEST_WHY) + "…" : why,
                Instant.now());
    }

    static BrokenRouteFile unseen(String file) {
        return new BrokenRouteFile(
                file,
                null,
                "it is not there, and its folder is missing, empty or cannot be read, as where a"
                        + " volume is not mounted (to take its routes away, delete the file in its folder)",
                Instant.now());
    }

    @Override
    public String toString() {
        return file + (line == null ? "" : " line " + line) + ": " + why;
    }
}
