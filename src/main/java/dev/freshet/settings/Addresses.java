package dev.freshet.settings;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * The addresses of a target: one, or a comma-separated list, in which each address is a copy of the app that is called
 * separately.
 */
public final class Addresses {
    private static final Pattern IS_IP = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[.*]");
    private static final Map<String, Integer> PORTS = Map.of("http", 80, "https", 443, "redis", 6379, "rediss", 6379);

    private Addresses() {}

    /**
     * One address of a list.
     *
     * @param place its host, port and path: identifies it within the list, without the parts of an address that may be
     *     secret
     */
    public record Listed(String url, String place, String host) {
        private static Listed of(String url) {
            URI uri = uri(url);
            String host = uri.getHost().toLowerCase(Locale.ROOT);
            return new Listed(url, placeAt(host, uri), host);
        }

        public boolean isName() {
            return !IS_IP.matcher(host).matches();
        }

        /** The same port and path, at one of the addresses that the host name resolves to. */
        public String placeAt(String ip) {
            return placeAt(ip.contains(":") ? "[" + ip + "]" : ip, uri(url));
        }

        private static String placeAt(String host, URI uri) {
            int port = uri.getPort() < 0
                    ? PORTS.getOrDefault(uri.getScheme().toLowerCase(Locale.ROOT), 80)
                    : uri.getPort();
            String path = uri.getRawPath() == null
                    ? ""
                    : uri.getRawPath().replace("@", "%40").replaceAll("/+$", "");
            return host + ":" + port + path;
        }
    }

    /** @throws IllegalArgumentException says what is wrong and what to write instead */
    public static List<Listed> of(String list) {
        List<Listed> listed = new ArrayList<>();
        for (String url : normal(list, item -> item).split(",")) {
            listed.add(Listed.of(url));
        }
        return listed;
    }

    /**
     * @param each returns the normal form of one address, or throws what is wrong with it
     * @return the list in its normal form
     */
    public static String normal(String list, UnaryOperator<String> each) {
        String[] items = list.split(",", -1);
        Map<String, String> places = new LinkedHashMap<>();
        for (int i = 0; i < items.length; i++) {
            String item = items[i].strip();
            String which = items.length == 1 ? "" : "address " + (i + 1) + " of " + items.length + " ";
            if (item.isEmpty()) {
                throw new IllegalArgumentException(which + "is empty: write addresses with one comma between two");
            }
            String url = checked(item, which, each);
            String before = places.put(Listed.of(url).place(), url);
            if (before != null) {
                throw new IllegalArgumentException(
                        which + "is " + shown(url) + " and so is another one: write each address once");
            }
        }
        return String.join(",", places.values());
    }

    private static String checked(String item, String which, UnaryOperator<String> each) {
        try {
            String url = each.apply(item);
            uri(url);
            return url;
        } catch (IllegalArgumentException e) {
            throw which.isEmpty()
                    ? e
                    : new IllegalArgumentException(which + "is \"" + shown(item) + "\": " + e.getMessage());
        }
    }

    private static URI uri(String url) {
        try {
            URI uri = new URI(url);
            if (uri.getScheme() != null && uri.getHost() != null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // reported below
        }
        throw new IllegalArgumentException("no whole address; write it such as http://10.0.0.1:3000");
    }

    /** What precedes an @ may be a password, and a query may hold a secret. */
    private static String shown(String url) {
        return SettingKind.BASE_URLS.shown(url);
    }
}
