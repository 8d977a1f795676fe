package dev.freshet.console;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The page at /admin/info and what it is made of. The files lie in the jar; nothing comes from another host, and no script stands in the page. */
final class ConsolePages implements Handler<RoutingContext> {
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";
    private static final Pattern ASSET = Pattern.compile("/admin/assets/([a-z][a-z0-9-]*)\\.(js|css|svg)");
    private static final Map<String, String> TYPES = Map.of("js", "text/javascript; charset=utf-8", "css", "text/css; charset=utf-8", "svg", "image/svg+xml");

    private record Page(Buffer body, String tag) { }

    /** Only what there is: anybody may ask, for whatever name. */
    private final Map<String, Page> read = new ConcurrentHashMap<>();
    private final boolean keyRequired;

    private final Supplier<String> served;

    /** @param served the names of what else this Freshet serves that the page shows, if it is there */
    ConsolePages(boolean keyRequired, Supplier<String> served) {
        this.keyRequired = keyRequired;
        this.served = served;
    }

    @Override
    public void handle(RoutingContext ctx) {
        ctx.response().putHeader("Content-Security-Policy", POLICY);
        Matcher asset = ASSET.matcher(ctx.normalizedPath());
        if (asset.matches()) {
            Page page = read.computeIfAbsent(asset.group(1) + "." + asset.group(2), name -> text(name).map(ConsolePages::page).orElse(null));
            if (page == null) {
                ctx.fail(404);
            } else {
                send(ctx, page, TYPES.get(asset.group(2)));
            }
        } else if (ctx.normalizedPath().startsWith("/admin/assets/")) {
            ctx.fail(404);
        } else {
            send(ctx, page(text("index.html").orElseThrow().replace("data-key=\"unknown\"", "data-key=\"" + (keyRequired ? "required" : "none") + "\"")
                    .replace("data-serves=\"unknown\"", "data-serves=\"" + served.get() + "\"")), "text/html; charset=utf-8");
        }
    }

    private static void send(RoutingContext ctx, Page page, String type) {
        ctx.response().putHeader("Content-Type", type).putHeader("ETag", page.tag());
        if (page.tag().equals(ctx.request().getHeader("If-None-Match"))) {
            ctx.response().setStatusCode(304).end();
        } else {
            ctx.end(page.body());
        }
    }

    private static Page page(String text) {
        return new Page(Buffer.buffer(text), "\"" + Integer.toHexString(text.hashCode()) + "\"");
    }

    private static Optional<String> text(String name) {
        try (InputStream in = ConsolePages.class.getResourceAsStream("/console/" + name)) {
            return in == null ? Optional.empty() : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
