package dev.freshet.routes;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where in a file a failure is at home: the reader of YAML says it, other failures name a thing that stands somewhere. */
final class Lines {
    private static final Pattern SAID = Pattern.compile("line:? (\\d+)");
    private static final List<Pattern> WORDS = List.of(Pattern.compile("[\\w./:#-]{3,}"), Pattern.compile("[\\w-]{4,}"));

    private Lines() {
    }

    /**
     * @param before the last good text, or null
     * @return null when nothing tells
     */
    static Integer of(String text, String before, Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            Matcher said = SAID.matcher(String.valueOf(cause.getMessage()));
            if (said.find()) {
                return Integer.valueOf(said.group(1));
            }
        }
        Integer named = named(text, failure);
        return named == null ? firstChanged(text, before) : named;
    }

    /** The line of the first thing that the failure names and that stands in the file only once. */
    private static Integer named(String text, Throwable failure) {
        List<String> lines = text == null ? List.of() : text.lines().toList();
        for (Throwable cause : List.of(last(failure), failure)) {
            for (Pattern pattern : WORDS) {
                Matcher words = pattern.matcher(String.valueOf(cause.getMessage()));
                while (words.find()) {
                    String word = words.group();
                    List<String> with = lines.stream().filter(line -> line.contains(word)).toList();
                    if (with.size() == 1) {
                        return lines.indexOf(with.get(0)) + 1;
                    }
                }
            }
        }
        return null;
    }

    private static Integer firstChanged(String text, String before) {
        List<String> lines = text == null ? List.of() : text.lines().toList();
        List<String> good = before == null ? List.of() : before.lines().toList();
        for (int i = 0; i < lines.size() && before != null; i++) {
            if (i >= good.size() || !lines.get(i).equals(good.get(i))) {
                return i + 1;
            }
        }
        return null;
    }

    private static Throwable last(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause;
    }
}
