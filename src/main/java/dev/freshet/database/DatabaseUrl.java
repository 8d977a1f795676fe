package dev.freshet.database;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A database's address, accepted in all common forms.
 *
 * @param hosts {@code host:port}, several of them for a cluster
 * @param pooled behind PgBouncer or Supavisor, where the next statement may run in another server session
 */
public record DatabaseUrl(
        String hosts, String database, String user, String password, Map<String, String> parameters, boolean pooled) {
    private static final String FORM_HINT = "write postgres://user:password@host:5432/database";
    private static final Pattern FORM =
            Pattern.compile("(?<jdbc>jdbc:)?postgres(?:ql)?://(?:(?<userinfo>[^/?]*)@)?(?<hosts>[^/?]*)"
                    + "(?:/(?<database>[^?]*))?(?:\\?(?<query>.*))?");
    private static final Pattern HOST = Pattern.compile("(?<name>\\[[0-9a-zA-Z:.%]+]|[^:\\[\\]]*)(?::(?<port>\\d*))?");
    private static final Pattern SUPABASE = Pattern.compile("https://(?<ref>[a-z0-9-]+)\\.supabase\\.co");
    /** libpq's names for which the JDBC driver uses others. */
    private static final Map<String, String> RENAMED = Map.of(
            "application_name",
            "ApplicationName",
            "connect_timeout",
            "connectTimeout",
            "channel_binding",
            "channelBinding",
            "target_session_attrs",
            "targetServerType",
            "gssencmode",
            "gssEncMode");
    /** Parameters of other drivers. */
    private static final List<String> DROPPED =
            List.of("connection_limit", "pool_timeout", "statement_cache_size", "schema", "uselibpqcompat");

    /**
     * @throws IllegalArgumentException says what is wrong with the address, without quoting it: it may contain a
     *     password
     */
    public static DatabaseUrl parse(String text) {
        Matcher form = FORM.matcher(text.trim());
        if (!form.matches()) {
            throw new IllegalArgumentException("not a database's address; " + FORM_HINT);
        }
        Map<String, String> parameters = parameters(form.group("query"), form.group("jdbc") != null);
        String[] userinfo = form.group("userinfo") == null
                ? new String[0]
                : form.group("userinfo").split(":", 2);
        String user = take(parameters, "user", userinfo.length > 0 ? decode(userinfo[0]) : "");
        String password = take(parameters, "password", userinfo.length > 1 ? decode(userinfo[1]) : null);
        user = user.isEmpty() ? System.getProperty("user.name") : user;
        String database = form.group("database") == null ? "" : decode(form.group("database"));
        String hosts = hosts(take(parameters, "host", decode(form.group("hosts"))), take(parameters, "port", ""));
        boolean pooled = isTrue(parameters.remove("pgbouncer")) || looksPooled(hosts);
        return new DatabaseUrl(hosts, database.isEmpty() ? user : database, user, password, parameters, pooled);
    }

    /** @throws IllegalArgumentException if it is not a Supabase project */
    public static DatabaseUrl ofSupabase(String projectUrl, String password) {
        Matcher form = SUPABASE.matcher(projectUrl);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "not a Supabase project; write https://REF.supabase.co, or set DATABASE_URL instead");
        }
        return new DatabaseUrl(
                "db." + form.group("ref") + ".supabase.co:5432",
                "postgres",
                "postgres",
                password,
                Map.of("sslmode", "require"),
                false);
    }

    public String jdbcUrl() {
        String query = parameters.entrySet().stream()
                .map(p -> p.getKey() + "=" + encode(p.getValue()))
                .collect(Collectors.joining("&"));
        return "jdbc:postgresql://" + hosts + "/" + encode(database) + (query.isEmpty() ? "" : "?" + query);
    }

    /** For people: everything but the password. */
    public String where() {
        return "database \"" + database + "\" at " + hosts + " as \"" + user + "\"";
    }

    /** A Supabase project's own host has only an IPv6 address, unless the project pays for more. */
    public boolean isSupabaseDirect() {
        return hosts.matches("db\\.[a-z0-9-]+\\.supabase\\.co:\\d+");
    }

    @Override
    public String toString() {
        return where();
    }

    /** Neon's pooler answers on 5432; so does Supabase's, but there that port provides a dedicated session. */
    private static boolean looksPooled(String hosts) {
        return hosts.matches(".*:(6543|6432)(,.*)?")
                || hosts.contains("pooler.") && !hosts.matches(".*\\.pooler\\.supabase\\.com:5432");
    }

    private static String hosts(String text, String otherPort) {
        List<String> hosts = new ArrayList<>();
        for (String host : text.split(",", -1)) {
            Matcher form = HOST.matcher(host);
            if (!form.matches()) {
                throw new IllegalArgumentException(
                        "no host and port to be found; a password that holds / ? @ or : must be percent-encoded; "
                                + FORM_HINT);
            }
            String port = form.group("port") == null || form.group("port").isEmpty() ? otherPort : form.group("port");
            port = port.isEmpty() ? "5432" : port;
            if (!port.matches("\\d{1,5}") || Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65_535) {
                throw new IllegalArgumentException("its port is not a number from 1 to 65535; " + FORM_HINT);
            }
            if (form.group("name").startsWith("/")) {
                throw new IllegalArgumentException(
                        "its host is a socket's folder, but Freshet connects over TCP; " + FORM_HINT);
            }
            hosts.add((form.group("name").isEmpty() ? "localhost" : form.group("name")) + ":" + port);
        }
        return String.join(",", hosts);
    }

    private static Map<String, String> parameters(String query, boolean jdbc) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            String[] parts = pair.split("=", 2);
            String name = decode(parts[0]);
            if (!name.isEmpty() && !DROPPED.contains(name)) {
                parameters.put(RENAMED.getOrDefault(name, name), parts.length == 2 ? decode(parts[1]) : "");
            }
        }
        parameters.computeIfPresent("targetServerType", (name, value) -> switch (value) {
            case "read-write" -> "primary";
            case "read-only" -> "secondary";
            default -> value;
        });
        // other drivers ask in this way for encryption without a known certificate; the JDBC driver's ssl=true demands
        // one
        parameters.computeIfPresent("sslmode", (name, value) -> value.equals("no-verify") ? "require" : value);
        if (!jdbc && parameters.containsKey("ssl")) {
            String ssl = parameters.remove("ssl");
            parameters.putIfAbsent("sslmode", isTrue(ssl) || ssl.isEmpty() ? "require" : "prefer");
        }
        return parameters;
    }

    private static boolean isTrue(String value) {
        return "true".equalsIgnoreCase(value) || "1".equals(value);
    }

    private static String take(Map<String, String> parameters, String name, String otherwise) {
        String value = parameters.remove(name);
        return value == null ? otherwise : value;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("it holds a % that encodes nothing; write % as %25");
        }
    }
}
