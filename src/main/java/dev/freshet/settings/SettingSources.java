package dev.freshet.settings;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a setting's value comes from: the environment, else the application.properties in the working directory, else
 * the default in the one that is packed into the jar. Blank counts as unset everywhere.
 */
public final class SettingSources implements Function<Setting, String> {
    private static final Pattern DEFAULT = Pattern.compile("\\{\\{env:\\w+(?::(.*))?}}");

    private final UnaryOperator<String> environment;
    private final UnaryOperator<String> properties;
    private final Properties packed = new Properties();

    public SettingSources(UnaryOperator<String> environment, UnaryOperator<String> properties) {
        this.environment = environment;
        this.properties = properties;
        try (InputStream in = SettingSources.class.getResourceAsStream("/application.properties")) {
            packed.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String apply(Setting setting) {
        String value = environment.apply(setting.environment);
        if (value == null || value.isBlank()) {
            value = properties.apply(setting.key);
        }
        return value == null || value.isBlank() ? byDefault(setting) : value;
    }

    private String byDefault(Setting setting) {
        String value = packed.getProperty(setting.key, "");
        Matcher placeholder = DEFAULT.matcher(value);
        return placeholder.matches() ? placeholder.group(1) : value;
    }
}
