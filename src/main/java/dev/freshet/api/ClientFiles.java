package dev.freshet.api;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Serves the npm package of {@code client/} to pages that import it from here. The gate decides who may read it and how
 * long it is cached.
 */
public final class ClientFiles implements Handler<RoutingContext> {

    private static final Pattern NAME = Pattern.compile("[a-z][a-z-]*\\.(js|d\\.ts)|package\\.json|README\\.md");
    private static final Map<String, String> TYPES =
            Map.of("js", "text/javascript", "ts", "text/plain", "json", "application/json", "md", "text/markdown");

    private final Map<String, Stored> read = new ConcurrentHashMap<>();

    private record Stored(Buffer content, String type, String tag) {}

    public void mountOn(Router router) {
        router.route("/client/:file")
                .method(HttpMethod.GET)
                .method(HttpMethod.HEAD)
                .handler(this);
    }

    @Override
    public void handle(RoutingContext ctx) {
        String name = ctx.pathParam("file");
        Stored file = NAME.matcher(name).matches() ? read.computeIfAbsent(name, ClientFiles::read) : null;
        if (file == null) {
            ctx.fail(404);
            return;
        }
        HttpServerResponse response = ctx.response().putHeader(HttpHeaders.ETAG, file.tag());
        if (isKnown(ctx.request().headers().getAll(HttpHeaders.IF_NONE_MATCH), file.tag())) {
            response.setStatusCode(304).end();
        } else {
            response.putHeader(HttpHeaders.CONTENT_TYPE, file.type() + "; charset=utf-8")
                    .putHeader(
                            HttpHeaders.CONTENT_LENGTH,
                            Integer.toString(file.content().length()));
            if (ctx.request().method().equals(HttpMethod.HEAD)) {
                response.end();
            } else {
                response.end(file.content());
            }
        }
    }

    private static boolean isKnown(Iterable<String> headers, String tag) {
        for (String header : headers) {
            if (Arrays.stream(header.split(","))
                    .map(known -> known.strip().replaceFirst("^W/", ""))
                    .anyMatch(known -> known.equals(tag) || known.equals("*"))) {
                return true;
            }
        }
        return false;
    }

    private static Stored read(String name) {
        try (InputStream in = ClientFiles.class.getClassLoader().getResourceAsStream("client/" + name)) {
            if (in == null) {
                return null;
            }
            byte[] content = in.readAllBytes();
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            String tag = '"' + Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, 15)) + '"';
            return new Stored(Buffer.buffer(content), TYPES.get(name.substring(name.lastIndexOf('.') + 1)), tag);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
