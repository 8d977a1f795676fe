package dev.freshet.settings;

import java.net.URI;
import java.net.URISyntaxException;
import java.text.ParseException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quartz.CronExpression;

/** The kinds of values that settings have, and how they are read. */
enum SettingKind {
    TEXT,
    SECRET,
    FLAG,
    URL,
    /** An address to which Freshet appends a path. */
    BASE_URL,
    BASE_URLS,
    /** The origins of web pages, as browsers send them. */
    ORIGINS,
    FANOUT,
    LEVEL,
    FORMAT,
    CRON,
    NUMBER,
    DURATION;

    private static final Pattern ORIGIN =
            Pattern.compile("(?i)\\*|none|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\\[[0-9a-f:.]+])(:(?<port>[0-9]{1,5}))?/?");
    private static final Pattern SECOND_ADDRESS = Pattern.compile("(?i),\\s*https?:");

    /**
     * The value as it may be printed: what precedes an @ may be a password, and a query may hold a secret.
     */
    String shown(String value) {
        String shown = value.replaceAll("//[^/@\\s]*@", "//…@");
        return switch (this) {
            case URL, BASE_URL, BASE_URLS -> shown.replaceFirst("(?s)([?#]).*", "$1…");
            default -> shown;
        };
    }

    /**
     * Returns the value in its normal form: milliseconds for durations, true or false for flags, no trailing slash for
     * URLs.
     *
     * @param least, most inclusive bounds of numbers and durations
     * @throws IllegalArgumentException says what to write instead
     */
    String normal(String value, String least, String most) {
        return switch (this) {
            case TEXT, SECRET -> value;
            case LEVEL -> oneOf(value.toUpperCase(Locale.ROOT), "ERROR", "WARN", "INFO", "DEBUG", "TRACE");
            case FORMAT -> oneOf(value.toLowerCase(Locale.ROOT), "text", "json");
            case FLAG -> flag(value.toLowerCase(Locale.ROOT));
            case URL -> url(one(value));
            case BASE_URL -> baseUrl(one(value));
            case BASE_URLS -> Addresses.normal(value, SettingKind::baseUrl);
            case ORIGINS -> origins(value);
            case FANOUT -> fanout(value.toLowerCase(Locale.ROOT));
            case CRON -> cron(value);
            case NUMBER -> number(value, least, most);
            case DURATION -> duration(value, least, most);
        };
    }

    private static String oneOf(String value, String... allowed) {
        if (!List.of(allowed).contains(value)) {
            throw new IllegalArgumentException("write " + String.join(", ", allowed));
        }
        return value;
    }

    private static String flag(String value) {
        return switch (value) {
            case "true", "1", "yes", "on" -> "true";
            case "false", "0", "no", "off" -> "false";
            default -> throw new IllegalArgumentException("write true or false");
        };
    }

    private static String one(String value) {
        if (SECOND_ADDRESS.matcher(value).find()) {
            throw new IllegalArgumentException("it takes one address: write the first one here, and each further one"
                    + " in a target's file (docs/targets.md)");
        }
        return value;
    }

    private static String url(String value) {
        try {
            URI uri = new URI(value);
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (uri.getRawUserInfo() != null) {
                throw new IllegalArgumentException("a name and password before an @ are not sent: leave them out");
            }
            if (web && uri.getHost() != null && uri.getPort() <= 65_535) {
                return value.replaceAll("/+$", "");
            }
        } catch (URISyntaxException e) {
            // reported below
        }
        throw new IllegalArgumentException("not a web address; write it in full, such as https://www.example.org");
    }

    private static String baseUrl(String value) {
        String url = url(value);
        if (url.matches("(?s).*[?#].*")) {
            throw new IllegalArgumentException("Freshet appends a path to it, so it has no query: write what precedes"
                    + " the ? or #, such as https://www.example.org; a header can replace the query, in a target's file"
                    + " (docs/targets.md)");
        }
        return url;
    }

    private static String origins(String value) {
        for (String origin : value.split("[,\\s]+")) {
            Matcher parts = ORIGIN.matcher(origin);
            if (!parts.matches() || parts.group("port") != null && Integer.parseInt(parts.group("port")) > 65_535) {
                throw new IllegalArgumentException((origin.isEmpty() ? "an empty entry" : ORIGINS.shown(origin))
                        + " is no origin; write scheme://host or scheme://host:port, such as https://www.example.org,"
                        + " with a comma between two; or * for all, none for no other page");
            }
        }
        return value;
    }

    private static String fanout(String value) {
        return switch (value) {
            case "dns" -> "dns";
            case "none", "off", "false", "0", "no" -> "none";
            default ->
                throw new IllegalArgumentException(
                        "write dns (each host name of a target stands for all of its" + " addresses) or off");
        };
    }

    private static String cron(String value) {
        try {
            CronExpression.validateExpression(value);
            return value;
        } catch (ParseException e) {
            throw new IllegalArgumentException(
                    e.getMessage() + "; write a Quartz cron expression, such as 0 0 3 * * ? for three at night");
        }
    }

    private static String number(String value, String least, String most) {
        try {
            int number = Integer.parseInt(value);
            if (number >= Integer.parseInt(least) && number <= Integer.parseInt(most)) {
                return Integer.toString(number);
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new IllegalArgumentException("write a whole number from " + least + " to " + most);
    }

    private static String duration(String value, String least, String most) {
        long millis = Durations.parse(value).toMillis();
        if (millis < Durations.parse(least).toMillis()
                || millis > Durations.parse(most).toMillis()) {
            throw new IllegalArgumentException("write a duration from " + least + " to " + most);
        }
        return Long.toString(millis);
    }
}
