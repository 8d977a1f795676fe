package dev.freshet.api.gate;

import io.vertx.core.http.HttpMethod;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;

/** Determines which path is requested. A path that could be read in two ways grants no access. */
final class Paths {

    private static final String[] ASSETS = {"/client/", "/admin/assets/", "/demo/assets/"};
    // what Vert.x, Camel or a proxy in front might normalize into another path: they do not agree on these
    private static final Pattern UNCLEAR =
            Pattern.compile("//|(^|/)\\.{1,2}(/|$)|[;\\\\%#?\\x00-\\x1f\\x7f\\ufffd]|^[^/]");

    private Paths() {}

    /** The decoded path without a trailing slash, or "" if it is unclear which path is meant. */
    static String clear(String raw) {
        if (raw == null || raw.isEmpty() || raw.toLowerCase(Locale.ROOT).contains("%2f")) {
            return "";
        }
        String path;
        try {
            path = URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
        if (UNCLEAR.matcher(path).find()) {
            return "";
        }
        return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    static boolean isReading(HttpMethod method) {
        return HttpMethod.GET.equals(method) || HttpMethod.HEAD.equals(method);
    }

    static boolean isLive(String path) {
        return path.startsWith("/live/");
    }

    static boolean isAsset(String path) {
        for (String prefix : ASSETS) {
            if (path.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }

    /** Browsers read these from pages of other origins: the stream, and the module that opens it. */
    static boolean isSharedAcrossOrigins(String path) {
        return isLive(path) || path.startsWith("/client/");
    }
}
