package dev.freshet.routes;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where in a file a failure is at home: the reader of YAML says it, other failures name a thing that stands somewhere. */
final class Lines {
    private static final Pattern SAID = Pattern.compile("line:? (\\d+)");
    private static final Pattern WORD = Pattern.compile("[\\w./:#-]{3,}");

    private Lines() {
    }

    /** @return null when nothing tells */
    static Integer of(String text, Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            Matcher said = SAID.matcher(String.valueOf(cause.getMessage()));
            if (said.find()) {
                return Integer.valueOf(said.group(1));
            }
        }
        return named(text, failure);
    }

    /** The line of the word that the failure names and that stands in the file only once. */
    private static Integer named(String text, Throwable failure) {
        String[] lines = text == null ? new String[0] : text.split("\\R", -1);
        for (Throwable cause = last(failure); cause != null; cause = cause == failure ? null : failure) {
            Matcher words = WORD.matcher(String.valueOf(cause.getMessage()));
            while (words.find()) {
                Integer only = null;
                int times = 0;
                for (int i = 0; i < lines.length; i++) {
                    if (lines[i].contains(words.group())) {
                        only = i + 1;
                        times++;
                    }
                }
                if (times == 1) {
                    return only;
                }
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
