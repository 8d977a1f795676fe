package dev.freshet.api;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where Freshet listens, and whom it may trust there.
 *
 * @param loopbackOnly bound to this machine only
 * @param allowAnonymous FRESHET_ALLOW_ANONYMOUS: the operator states that the network protects it
 * @param liveOrigins FRESHET_LIVE_ORIGINS: the origins whose pages may read /live; {@code *} means all, {@code none}
 *     means none
 */
public record Bind(boolean loopbackOnly, boolean allowAnonymous, Set<String> liveOrigins) {

    private static final Pattern HOST = Pattern.compile("(\\[[0-9a-f:.]+]|[a-z0-9._-]+)(?::([0-9]{1,5}))?");
    private static final Pattern ORIGIN = Pattern.compile("(https?)://(.+)");
    private static final Pattern LOOPBACK = Pattern.compile(
            "localhost|([a-z0-9_-]+\\.)+localhost|127(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}|\\[::1]");

    public static Bind at(String host, boolean allowAnonymous, String liveOrigins) {
        String literal = host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
        String origins = liveOrigins == null || liveOrigins.isBlank() ? "*" : liveOrigins;
        if (origins.strip().equalsIgnoreCase("none")) {
            return new Bind(isLoopback(literal), allowAnonymous, Set.of());
        }
        return new Bind(
                isLoopback(literal),
                allowAnonymous,
                Stream.of(origins.split("[,\\s]+"))
                        .filter(origin -> !origin.isEmpty())
                        .map(origin -> origin.toLowerCase(Locale.ROOT).replaceFirst("/$", ""))
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /** Refuses DNS rebinding, by which a stranger's page reaches this server under the stranger's host name. */
    public boolean accepts(String host) {
        return allowAnonymous && !loopbackOnly || host != null && isLoopback(host);
    }

    static boolean isLoopback(String host) {
        Matcher parts = HOST.matcher(host.toLowerCase(Locale.ROOT));
        return parts.matches()
                && LOOPBACK.matcher(parts.group(1).replaceFirst("\\.$", "")).matches();
    }

    public static boolean isOwn(String origin, String scheme, String host) {
        Matcher claimed = ORIGIN.matcher(origin.toLowerCase(Locale.ROOT));
        return host != null
                && claimed.matches()
                && claimed.group(1).equals(scheme)
                && withPort(scheme, claimed.group(2))
                        .filter(withPort(scheme, host.toLowerCase(Locale.ROOT)).orElse("")::equals)
                        .isPresent();
    }

    /** The Access-Control-Allow-Origin for this origin, or null if its pages may not read. */
    public String shares(String origin) {
        return liveOrigins.contains("*")
                ? "*"
                : origin != null && liveOrigins.contains(origin.toLowerCase(Locale.ROOT)) ? origin : null;
    }

    private static Optional<String> withPort(String scheme, String host) {
        Matcher parts = HOST.matcher(host);
        if (!parts.matches()) {
            return Optional.empty();
        }
        String port = parts.group(2) == null ? scheme.equals("https") ? "443" : "80" : parts.group(2);
        return Optional.of(parts.group(1) + ":" + port);
    }
}
