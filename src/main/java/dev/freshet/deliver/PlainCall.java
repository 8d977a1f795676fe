package dev.freshet.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** Builds what the template freshet-target sends: its parameters path, headers and body, with the tags filled in. */
public final class PlainCall {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern HEADER = Pattern.compile("([A-Za-z0-9!#$%&'*+.^_`|~-]+):\\s*(.*)");
    private static final List<String> FORMS = List.of("auto", "batch", "none");

    public void fill(
            @Body Call call,
            @Variable("path") String path,
            @Variable("headers") String headers,
            @Variable("form") String form,
            Exchange exchange) {
        exchange.getMessage().setBody(body(form, call));
        if (!form.equals("none")) {
            exchange.getMessage().setHeader("Content-Type", "application/json");
        }
        headers(headers).forEach((name, value) -> exchange.getMessage().setHeader(name, inHeader(value, call)));
        if (!path.isEmpty()) {
            exchange.getMessage().setHeader(Exchange.HTTP_PATH, inPath(path, call));
        }
    }

    /** @throws IllegalArgumentException with a message that says what to write instead */
    static void check(String path, String headers, String form, int batch) {
        headers(headers);
        boolean isText = form.contains("{tag}") || form.contains("{tags}");
        if (!isText && !FORMS.contains(form)) {
            throw new IllegalArgumentException(
                    "body is \"" + form + "\": write auto, batch, none, or a text with {tag}" + " or {tags} in it");
        }
        if (form.equals("none") && !(path + headers).contains("{tag")) {
            throw new IllegalArgumentException("body is none, and neither path nor headers says {tag} or {tags}: the"
                    + " receiver would not know what has changed");
        }
        if (batch > 1 && (path + headers + form).contains("{tag}")) {
            throw new IllegalArgumentException("batch is " + batch + " and {tag} is one tag: write {tags}, or batch 1");
        }
        if (path.contains("{tags}")) {
            throw new IllegalArgumentException("path says {tags}: write {tag}, with batch 1");
        }
    }

    private static Map<String, String> headers(String lines) {
        Map<String, String> headers = new LinkedHashMap<>();
        lines.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(line -> {
            Matcher header = HEADER.matcher(line);
            if (!header.matches()) {
                throw new IllegalArgumentException("headers has the line \"" + line.replaceFirst("(?<=.{8}).+", "…")
                        + "\": write Name: value, a line for each");
            }
            headers.put(header.group(1), header.group(2));
        });
        return headers;
    }

    private static Object body(String form, Call call) {
        return switch (form) {
            case "auto" -> json(call.asTagOrTags());
            case "batch" -> json(call.asBatch("queue"));
            case "none" -> "";
            default ->
                form.replace("{tags}", json(call.getTags()))
                        .replace("{tag}", json(call.getTags().get(0)));
        };
    }

    private static String inHeader(String value, Call call) {
        List<String> written = call.getTags().stream().map(PlainCall::encoded).toList();
        return value.replace("{tags}", String.join(",", written)).replace("{tag}", written.get(0));
    }

    private static String inPath(String path, Call call) {
        return path.replace("{tag}", encoded(call.getTags().get(0)));
    }

    /** Encodes a tag as in a segment of a path, so that no tag can become another header or another address. */
    private static String encoded(String tag) {
        String encoded = URLEncoder.encode(tag, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%3A", ":");
        return encoded.matches("\\.+") ? encoded.replace(".", "%2E") : encoded;
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
