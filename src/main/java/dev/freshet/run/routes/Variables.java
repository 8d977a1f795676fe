package dev.freshet.run.routes;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.camel.component.properties.EnvPropertiesFunction;

/**
 * Environment variables that route files need: {@code {{env:NAME}}} has no default, {@code {{env:NAME:}}} has an empty
 * one.
 */
public final class Variables {
    private static final Pattern NEEDED = Pattern.compile("\\{\\{env:([\\w.-]+)}}");

    private Variables() {}

    /** @return by file, the variables that it needs and that are not set */
    public static Map<String, Set<String>> missing(Map<String, String> files) {
        Map<String, Set<String>> missing = new TreeMap<>();
        files.forEach((file, text) -> {
            Set<String> names = missing(text);
            if (!names.isEmpty()) {
                missing.put(file, names);
            }
        });
        return missing;
    }

    static Set<String> missing(String text) {
        Set<String> names = new TreeSet<>();
        EnvPropertiesFunction environment = new EnvPropertiesFunction();
        text.lines()
                .filter(line -> !line.strip().startsWith("#"))
                .forEach(line -> NEEDED.matcher(line)
                        .results()
                        .map(found -> found.group(1))
                        .filter(name -> environment.apply(name) == null)
                        .forEach(names::add));
        return names;
    }

    /** The message for an operator who has not set them. */
    public static String told(Set<String> names) {
        String all = String.join(", ", names);
        String one = names.iterator().next();
        String what = names.size() == 1
                ? "variable " + all + " is not set: set it"
                : "variables " + all + " are not set: set them";
        return "the environment " + what + " and start again, or write {{env:" + one
                + ":…}} with a default after the colon";
    }

    /** Replaces variables that are not set, for files that are only tried. */
    static final class StandIns extends EnvPropertiesFunction {
        private final UnaryOperator<String> values;

        StandIns(UnaryOperator<String> values) {
            this.values = values;
        }

        @Override
        public String apply(String nameAndDefault) {
            String value = super.apply(nameAndDefault);
            return value == null ? values.apply(nameAndDefault) : value;
        }

        /** A URL if the name says that it is one; otherwise a value that is valid both as a text and as a number. */
        static String byName(String name) {
            return name.toUpperCase(Locale.ROOT).matches(".*(URL|URI|ADDRESS|ENDPOINT).*") ? address(name) : "1";
        }

        static String address(String name) {
            return "http://not-set.invalid";
        }
    }
}
