package dev.freshet.api;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A page and its assets. All files are in the jar; nothing comes from another host, and the page contains no inline
 * script.
 */
public final class WebPage implements Handler<RoutingContext> {
    private static final int BEFORE_CAMELS_ROUTES = -500;
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri"
                    + " 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final Pattern ASSET = Pattern.compile("([a-z][a-z0-9-]*)\\.(js|css|svg)");
    private static final Map<String, String> TYPES =
            Map.of("js", "text/javascript; charset=utf-8", "css", "text/css; charset=utf-8", "svg", "image/svg+xml");

    private record File(Buffer body, String tag) {}

    /** Contains only files that exist, because anyone may ask for any name. */
    private final Map<String, File> read = new ConcurrentHashMap<>();

    private final String folder;
    private final String path;
    private final String assets;
    private final UnaryOperator<String> fillIn;

    /**
     * @param folder where the files are, with an index.html that is served at {@code path}
     * @param assets the path under which the other files are served, with a trailing slash
     * @param fillIn inserts into the page what it cannot know
     */
    public WebPage(String folder, String path, String assets, UnaryOperator<String> fillIn) {
        this.folder = folder;
        this.path = path;
        this.assets = assets;
        this.fillIn = fillIn;
    }

    public void mountOn(Router router) {
        for (String served : List.of(path, assets + "*")) {
            router.route(served)
                    .order(BEFORE_CAMELS_ROUTES)
                    .method(HttpMethod.GET)
                    .method(HttpMethod.HEAD)
                    .handler(this);
        }
    }

    @Override
    public void handle(RoutingContext ctx) {
        ctx.response().putHeader("Content-Security-Policy", POLICY);
        String asked = ctx.normalizedPath();
        if (!asked.startsWith(assets)) {
            send(ctx, file(fillIn.apply(text("index.html").orElseThrow())), "text/html; charset=utf-8");
            return;
        }
        Matcher asset = ASSET.matcher(asked.substring(assets.length()));
        File file = asset.matches()
                ? read.computeIfAbsent(
                        asset.group(), name -> text(name).map(WebPage::file).orElse(null))
                : null;
        if (file == null) {
            ctx.fail(404);
        } else {
            send(ctx, file, TYPES.get(asset.group(2)));
        }
    }

    private static void send(RoutingContext ctx, File file, String type) {
        ctx.response().putHeader("Content-Type", type).putHeader("ETag", file.tag());
        if (file.tag().equals(ctx.request().getHeader("If-None-Match"))) {
            ctx.response().setStatusCode(304).end();
        } else {
            ctx.end(file.body());
        }
    }

    private static File file(String text) {
        return new File(Buffer.buffer(text), "\"" + Integer.toHexString(text.hashCode()) + "\"");
    }

    private Optional<String> text(String name) {
        try (InputStream in = WebPage.class.getResourceAsStream("/" + folder + "/" + name)) {
            return in == null ? Optional.empty() : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
