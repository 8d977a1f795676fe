package dev.freshet.run.routes;

import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the line of a route file that a failure belongs to. The YAML reader reports it; other failures name something
 * that occurs in the file.
 */
final class Lines {
    private static final Pattern SAID = Pattern.compile("line:? (\\d+)");
    private static final List<Pattern> WORDS =
            List.of(Pattern.compile("[\\w./:#-]{3,}"), Pattern.compile("[\\w-]{4,}"));

    private Lines() {}

    /**
     * @param before the last good text, or null
     * @return null if the line cannot be determined
     */
    static Integer of(String text, String before, Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            Matcher said = SAID.matcher(String.valueOf(cause.getMessage()));
            if (said.find()) {
                return Integer.valueOf(said.group(1));
            }
        }
        List<String> good = before == null ? List.of() : before.lines().toList();
        List<String> lines = text == null ? List.of() : text.lines().toList();
        Integer named =
                before == null ? null : named(lines, failure, with -> first(with, line -> !good.contains(line)));
        if (named == null) {
            named = named(lines, failure, with -> with.size() == 1 ? with.get(0) : null);
        }
        return named == null ? firstChanged(text, before) : named;
    }

    private static String first(List<String> lines, Predicate<String> which) {
        return lines.stream().filter(which).findFirst().orElse(null);
    }

    /**
     * The line of the first thing that the failure names.
     *
     * @param choice picks one of the lines that contain it: one that is new, or the only one; null if neither
     */
    private static Integer named(List<String> lines, Throwable failure, Function<List<String>, String> choice) {
        for (Throwable cause : List.of(last(failure), failure)) {
            for (Pattern pattern : WORDS) {
                Matcher words = pattern.matcher(String.valueOf(cause.getMessage()));
                while (words.find()) {
                    String word = words.group();
                    String chosen = choice.apply(
                            lines.stream().filter(line -> line.contains(word)).toList());
                    if (chosen != null) {
                        return lines.indexOf(chosen) + 1;
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
