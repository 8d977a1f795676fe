package dev.freshet.api;

import java.util.Locale;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.vertx.HttpMessage;
import org.apache.camel.spi.HeaderFilterStrategy;

/**
 * Decides which headers cross between HTTP and a route. Camel keeps request headers, query parameters and path
 * parameters in one map and answers with that map. So a header could pose as a parameter, and a parameter could come
 * back as a response header. Here, names that may go out cannot come in: a response header is always one that the route
 * has set.
 */
public final class QuietHeaders implements HeaderFilterStrategy {

    private static final Set<String> OUT = Set.of(
            "content-type",
            "retry-after",
            "location",
            "etag",
            "cache-control",
            "allow",
            "www-authenticate",
            "content-disposition");
    private static final Set<String> IN = Set.of(
            "accept",
            "last-event-id",
            "if-none-match",
            "x-request-id",
            "x-revalidation-secret",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature");

    @Override
    public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
        return !goesOut(lower(name));
    }

    @Override
    public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
        String header = lower(name);
        return isCamels(header)
                || goesOut(header)
                || isPathParameter(header, exchange)
                || isRequestHeader(header, exchange) && !IN.contains(header);
    }

    public static boolean isCamels(String name) {
        String header = lower(name);
        return header.startsWith("camel") || header.startsWith("org.apache.camel");
    }

    private static boolean goesOut(String header) {
        return OUT.contains(header) || header.startsWith("access-control-");
    }

    /** Camel would make a list of the two ids in {@code /jobs/1?id=2}. */
    private static boolean isPathParameter(String name, Exchange exchange) {
        return exchange.getFromEndpoint() instanceof PlatformHttpEndpoint endpoint
                && lower(endpoint.getPath()).contains("{" + name + "}");
    }

    private static boolean isRequestHeader(String name, Exchange exchange) {
        return exchange.getIn() instanceof HttpMessage message
                && message.getRequest().headers().contains(name);
    }

    private static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
