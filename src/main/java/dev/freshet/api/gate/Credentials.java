package dev.freshet.api.gate;

import dev.freshet.api.Keys;
import dev.freshet.api.Keys.Right;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The keys that a request presents.
 *
 * @param any whether it presents any key, known or not
 * @param rights what the known ones permit
 */
record Credentials(boolean any, Set<Right> rights) {

    private static final Pattern BEARER = Pattern.compile("bearer +(\\S.*)", Pattern.CASE_INSENSITIVE);
    private static final int MOST = 8;

    static Credentials inHeaders(RoutingContext ctx, Keys keys) {
        List<byte[]> shown = shownInHeaders(ctx.request());
        return new Credentials(!shown.isEmpty(), keys.opens(shown));
    }

    /** EventSource cannot send headers, so the live key may be in the query. No stronger key belongs in a URL. */
    Credentials withLiveKeyInQuery(RoutingContext ctx, Keys keys) {
        List<byte[]> shown = ctx.queryParams().getAll("key").stream()
                .limit(MOST)
                .map(key -> key.getBytes(StandardCharsets.UTF_8))
                .toList();
        if (keys.opens(shown).contains(Right.LIVE)) {
            rights.add(Right.LIVE);
        }
        return new Credentials(any || !shown.isEmpty(), rights);
    }

    private static List<byte[]> shownInHeaders(HttpServerRequest request) {
        Stream<String> bearers = request.headers().getAll(HttpHeaders.AUTHORIZATION).stream()
                .map(authorization -> BEARER.matcher(authorization.strip()))
                .filter(Matcher::matches)
                .map(bearer -> bearer.group(1));
        Stream<String> apiKeys = request.headers().getAll("x-api-key").stream().filter(key -> !key.isBlank());
        return Stream.concat(bearers, apiKeys)
                .limit(MOST)
                .map(Credentials::asSent)
                .toList();
    }

    /** Netty reads headers as Latin-1; this restores the bytes that were sent. */
    private static byte[] asSent(String header) {
        return header.strip().getBytes(StandardCharsets.ISO_8859_1);
    }
}
