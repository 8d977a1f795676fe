package dev.freshet.api;

import dev.freshet.run.log.LogIds;
import io.netty.handler.codec.http.QueryStringEncoder;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every request passes here before any route sees it, so that no route can forget a check. In order: the key (or, with
 * no key configured, Host and Origin), hostile names, the kind and size of the body.
 */
public final class Gate implements Handler<RoutingContext> {

    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);
    private static final String ADMITTED = "freshet.admitted";
    private static final String REQUEST_ID = "freshet.request-id";
    private static final String MAY_CHANGE = "freshet.may-change";
    private static final Pattern BEARER = Pattern.compile("bearer +(\\S.*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern SANE_REQUEST_ID = Pattern.compile("[A-Za-z0-9._:-]{1,200}");
    private static final Pattern JSON =
            Pattern.compile("application/([a-z0-9!#$&^_.-]+\\+)?json", Pattern.CASE_INSENSITIVE);
    private static final int MAX_CREDENTIALS = 8;
    private static final long DRAIN_MILLIS = 5_000;
    // HTTP itself reads these, so they stay although a query parameter has the same name; QuietHeaders keeps both from
    // routes
    private static final Set<String> HTTPS_OWN = Set.of(
            "host",
            "connection",
            "content-length",
            "content-type",
            "content-encoding",
            "transfer-encoding",
            "expect",
            "upgrade",
            "accept",
            "origin",
            "te",
            "trailer");

    private final Keys keys;
    private final Bind bind;
    private final ApiRates limits;
    private final RefusalReports refusals;
    private final BodyHandler smallBodies;
    private final BodyHandler largeBodies;

    public Gate(Keys keys, Bind bind, ApiRates limits, RefusalReports refusals) {
        this.keys = keys;
        this.bind = bind;
        this.limits = limits;
        this.refusals = refusals;
        this.smallBodies = bodies(limits.bodyBytes());
        this.largeBodies = bodies(limits.invalidateBodyBytes());
    }

    @Override
    public void handle(RoutingContext ctx) {
        if (ctx.get(ADMITTED) != null) {
            // rerouted by hideLiveKey
            dress(ctx);
            shareIfAllowed(ctx, Paths.clear(ctx.request().path()));
            ctx.next();
            return;
        }
        ctx.request().headers().names().stream()
                .filter(QuietHeaders::isCamels)
                .toList()
                .forEach(ctx.request().headers()::remove);
        dress(ctx);
        String path = Paths.clear(ctx.request().path());
        Problem problem = judge(ctx, path);
        if (problem != null) {
            refuse(ctx, problem);
        } else if (isPreflight(ctx, path)) {
            ctx.response().setStatusCode(204).end();
        } else {
            ctx.put(ADMITTED, true);
            strip(ctx);
            if (!hideLiveKey(ctx, path)) {
                ctx.next();
            }
        }
    }

    /** Whether whoever asks could change something, too. */
    public static boolean mayChange(RoutingContext ctx) {
        return Boolean.TRUE.equals(ctx.get(MAY_CHANGE));
    }

    /** Reads the body here, because the limit depends on the path; 413 by Content-Length or while it streams. */
    void readBody(RoutingContext ctx) {
        boolean large = limits.bodyBytes(Paths.clear(ctx.request().path())) == limits.invalidateBodyBytes();
        (large ? largeBodies : smallBodies).handle(ctx);
    }

    /** A chunked body shows only now whether it is empty, which is allowed without a Content-Type. */
    void checkBody(RoutingContext ctx) {
        if (ctx.body().length() > 0 && !isJson(ctx.request())) {
            refuse(ctx, notJson());
        } else {
            ctx.next();
        }
    }

    /** What Vert.x would answer as text or HTML. */
    void failed(RoutingContext ctx, int status, Set<HttpMethod> allowed) {
        dress(ctx);
        if (status == 413) {
            refuse(ctx, tooLarge(Paths.clear(ctx.request().path())));
            return;
        }
        answer(
                ctx,
                switch (status) {
                    case 400 ->
                        ctx.request().getHeader(HttpHeaders.HOST) == null
                                        && ctx.request().version() == HttpVersion.HTTP_1_1
                                ? Problem.of(400, "Host: required")
                                : Problem.of(
                                        400,
                                        "the request is malformed: check the percent-encoding of its path and query");
                    case 404 -> Problem.of(404, "nothing is served at this path");
                    case 405 -> notAllowed(ctx, allowed);
                    case 406 -> Problem.of(406, "Accept: the answer is application/json");
                    case 415 -> notJson();
                    case 417 -> Problem.of(417, "Expect: only 100-continue is understood");
                    case 503 -> Problem.of(503, "not ready; try again").retryAfter(5);
                    default -> Problem.of(status, status >= 500 ? "internal error" : "the request cannot be served");
                });
    }

    private Problem judge(RoutingContext ctx, String path) {
        HttpServerRequest request = ctx.request();
        boolean reading = Paths.isReading(request.method());
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        boolean shared = shareIfAllowed(ctx, path);

        long wait = limits.rate().applyAsLong(client(request));
        if (wait > 0) {
            return Problem.of(429, "too many requests; try again in " + wait + " s")
                    .retryAfter(wait);
        }
        if (!keys.anyConfigured()) {
            ctx.put(MAY_CHANGE, true);
            String host = host(request);
            if (!bind.accepts(host)) {
                return Problem.of(403, "Host: without a key Freshet answers to localhost only; set INTERNAL_API_KEY");
            }
            if (origin != null && !shared && !Bind.isOwn(origin, scheme(request), host)) {
                return Problem.of(403, "Origin: without a key only Freshet's own pages may ask; set INTERNAL_API_KEY");
            }
        }
        if (!isPreflight(ctx, path) && keys.anyConfigured()) {
            Problem noRight = judgeKey(ctx, path, reading);
            if (noRight != null) {
                return noRight;
            }
        }
        return judgeContent(ctx);
    }

    private Problem judgeKey(RoutingContext ctx, String path, boolean reading) {
        boolean liveReading = reading && Paths.isLive(path);
        if (reading && Paths.isPublicPage(path) || liveReading && !keys.isConfigured(Keys.Right.LIVE)) {
            return null;
        }
        List<byte[]> credentials = credentials(ctx.request());
        Set<Keys.Right> rights = keys.opens(credentials);
        if (liveReading) {
            List<byte[]> inQuery = ctx.queryParams().getAll("key").stream()
                    .limit(MAX_CREDENTIALS)
                    .map(key -> key.getBytes(StandardCharsets.UTF_8))
                    .toList();
            credentials.addAll(inQuery);
            // EventSource cannot send headers; no stronger key belongs into a URL
            if (keys.opens(inQuery).contains(Keys.Right.LIVE)) {
                rights.add(Keys.Right.LIVE);
            }
        }
        ctx.put(MAY_CHANGE, rights.contains(Keys.Right.FULL));
        if (rights.contains(Keys.Right.FULL)
                || reading && rights.contains(Keys.Right.READ)
                || liveReading && rights.contains(Keys.Right.LIVE)) {
            return null;
        }
        boolean manualRun = ctx.request().method().equals(HttpMethod.POST) && path.equals(Paths.MANUAL_RUN);
        if (manualRun && rights.contains(Keys.Right.RUN)) {
            return ctx.queryParams().contains("force")
                    ? Problem.of(403, "force: this key may run the queue without force only")
                    : null;
        }
        if (rights.isEmpty()) {
            return Problem.of(
                            401,
                            credentials.isEmpty()
                                    ? "a key is required: Authorization: Bearer KEY, or x-api-key: KEY"
                                    : "the key is not known")
                    .withHeader("WWW-Authenticate", "Bearer");
        }
        return Problem.of(
                403, rights.contains(Keys.Right.READ) ? "this key may read only" : "this key may not do that");
    }

    private Problem judgeContent(RoutingContext ctx) {
        HttpServerRequest request = ctx.request();
        for (String name : ctx.queryParams().names()) {
            if (QuietHeaders.isCamels(name)) {
                return Problem.of(400, name + ": not a query parameter of this API");
            }
        }
        for (String encoding : request.headers().getAll(HttpHeaders.CONTENT_ENCODING)) {
            if (!encoding.isBlank() && !encoding.strip().equalsIgnoreCase("identity")) {
                return Problem.of(415, "Content-Encoding: send the body as it is (identity)");
            }
        }
        long length = contentLength(request);
        boolean unknownLength = length < 0
                && (request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                        || request.version() == HttpVersion.HTTP_2 && !request.isEnded());
        boolean typed = request.headers().contains(HttpHeaders.CONTENT_TYPE);
        if ((length > 0 || unknownLength && typed) && !isJson(request)) {
            return notJson();
        }
        return null;
    }

    /** Lets pages of other origins read what is meant for them. */
    private boolean shareIfAllowed(RoutingContext ctx, String path) {
        HttpMethod method = ctx.request().method();
        if (!Paths.isSharedAcrossOrigins(path) || !Paths.isReading(method) && !method.equals(HttpMethod.OPTIONS)) {
            return false;
        }
        HttpServerResponse response = ctx.response();
        String allowed = bind.shares(ctx.request().getHeader(HttpHeaders.ORIGIN));
        if (!"*".equals(allowed)) {
            response.putHeader(HttpHeaders.VARY, "Origin");
        }
        if (allowed != null) {
            response.putHeader("Access-Control-Allow-Origin", allowed);
            if (method.equals(HttpMethod.OPTIONS)) {
                response.putHeader("Access-Control-Allow-Methods", "GET, HEAD")
                        .putHeader(
                                "Access-Control-Allow-Headers",
                                "Authorization, X-Api-Key, Last-Event-ID, Cache-Control")
                        .putHeader("Access-Control-Max-Age", "600");
            } else {
                response.putHeader("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
            }
        }
        return allowed != null;
    }

    private static boolean isPreflight(RoutingContext ctx, String path) {
        return ctx.request().method().equals(HttpMethod.OPTIONS) && Paths.isSharedAcrossOrigins(path);
    }

    /** From here on nothing can log a key, and no header can pose as a query parameter in Camel's one map for both. */
    private static void strip(RoutingContext ctx) {
        MultiMap headers = ctx.request().headers();
        headers.remove(HttpHeaders.AUTHORIZATION).remove("x-api-key");
        for (String name : ctx.queryParams().names()) {
            if (!HTTPS_OWN.contains(name.toLowerCase(Locale.ROOT))) {
                headers.remove(name);
            }
        }
    }

    /** FRESHET_LIVE_KEY travels in the query: routes get a request without it, so that no log or trace can hold it. */
    private static boolean hideLiveKey(RoutingContext ctx, String path) {
        MultiMap query = ctx.queryParams();
        if (!Paths.isLive(path) || !query.contains("key")) {
            return false;
        }
        query.remove("key");
        QueryStringEncoder rest = new QueryStringEncoder(ctx.request().path());
        for (Map.Entry<String, String> parameter : query) {
            rest.addParam(parameter.getKey(), parameter.getValue());
        }
        ctx.reroute(ctx.request().method(), rest.toString());
        return true;
    }

    private static List<byte[]> credentials(HttpServerRequest request) {
        List<byte[]> credentials = new ArrayList<>();
        for (String authorization : request.headers().getAll(HttpHeaders.AUTHORIZATION)) {
            var bearer = BEARER.matcher(authorization.strip());
            if (bearer.matches()) {
                credentials.add(sent(bearer.group(1)));
            }
        }
        request.headers().getAll("x-api-key").stream()
                .filter(key -> !key.isBlank())
                .map(Gate::sent)
                .forEach(credentials::add);
        return new ArrayList<>(credentials.subList(0, Math.min(MAX_CREDENTIALS, credentials.size())));
    }

    /** Netty reads headers as Latin-1; this gives the bytes back as they were sent. */
    private static byte[] sent(String header) {
        return header.strip().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String host(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            return request.authority() == null ? null : request.authority().toString();
        }
        List<String> hosts = request.headers().getAll(HttpHeaders.HOST);
        return hosts.size() == 1 ? hosts.get(0).strip() : null;
    }

    /** A page cannot send X-Forwarded-Proto across origins without a preflight, which is refused. */
    private String scheme(HttpServerRequest request) {
        boolean tlsEndsBefore =
                bind.allowAnonymous() && "https".equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"));
        return tlsEndsBefore ? "https" : request.scheme();
    }

    private static boolean isJson(HttpServerRequest request) {
        List<String> types = request.headers().getAll(HttpHeaders.CONTENT_TYPE);
        return types.size() == 1
                && JSON.matcher(types.get(0).split(";", 2)[0].strip()).matches();
    }

    private static long contentLength(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length.strip());
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private static Problem notJson() {
        return Problem.of(415, "Content-Type: must be application/json");
    }

    private Problem tooLarge(String path) {
        return Problem.of(413, "body: at most " + limits.bodyBytes(path) + " bytes");
    }

    private static Problem notAllowed(RoutingContext ctx, Set<HttpMethod> allowed) {
        String methods = String.join(
                ", ", allowed.stream().map(HttpMethod::name).sorted().toList());
        return Problem.of(405, ctx.request().method().name() + " is not served at this path; it serves " + methods)
                .withHeader("Allow", methods);
    }

    private void refuse(RoutingContext ctx, Problem problem) {
        if (refusals.count()) {
            HttpServerRequest request = ctx.request();
            String path = String.valueOf(request.path());
            RefusedRequest refusal = new RefusedRequest(
                    Instant.now(),
                    request.method().name(),
                    path.substring(0, Math.min(200, path.length())),
                    problem.status(),
                    problem.detail(),
                    client(request),
                    ctx.get(REQUEST_ID));
            // the sink may block, this thread must not
            ctx.vertx()
                    .executeBlocking(
                            () -> {
                                refusals.report(refusal);
                                return null;
                            },
                            false);
        }
        answer(ctx, problem);
    }

    private static void answer(RoutingContext ctx, Problem problem) {
        HttpServerResponse response = ctx.response();
        if (response.ended() || response.closed()) {
            return;
        }
        if (response.headWritten()) {
            response.reset();
            return;
        }
        problem.headers().forEach(response::putHeader);
        response.setStatusCode(problem.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
                .end(problem.json());
        HttpServerRequest request = ctx.request();
        if (!request.isEnded()) {
            // closing at once would reset the connection before the client has read why; endless senders are cut off
            request.resume();
            ctx.vertx().setTimer(DRAIN_MILLIS, timer -> {
                if (!request.isEnded()) {
                    request.connection().close();
                }
            });
        }
    }

    private static void dress(RoutingContext ctx) {
        String requestId = ctx.get(REQUEST_ID);
        if (requestId == null) {
            String given = ctx.request().getHeader("X-Request-Id");
            requestId = isSane(given) ? given : UUID.randomUUID().toString();
            ctx.put(REQUEST_ID, requestId);
            ctx.request().headers().set("X-Request-Id", requestId);
            say(ctx, requestId);
        }
        HttpServerResponse response = ctx.response();
        if (response.headWritten()) {
            return;
        }
        boolean asset = Paths.isAsset(Paths.clear(ctx.request().path()));
        response.putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                // nobody may frame the console and lend it a user's clicks
                .putHeader("Content-Security-Policy", "frame-ancestors 'none'")
                .putHeader("X-Request-Id", requestId)
                .putHeader(HttpHeaders.CACHE_CONTROL, asset ? "no-cache" : "no-store");
        ctx.addHeadersEndHandler(done -> {
            if (!response.headers().contains(HttpHeaders.CONTENT_TYPE)
                    && !asset
                    && !"0".equals(response.headers().get(HttpHeaders.CONTENT_LENGTH))
                    && response.getStatusCode() != 204
                    && response.getStatusCode() != 304) {
                response.putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
            }
        });
    }

    /** A query parameter of the header's name reaches routes as it was sent: not everything may stand in a log. */
    static boolean isSane(String requestId) {
        return requestId != null && SANE_REQUEST_ID.matcher(requestId).matches();
    }

    /** What was asked and answered, and by which id. Queries are not shown: they may hold a key. */
    private static void say(RoutingContext ctx, String requestId) {
        if (LOG.isDebugEnabled()) {
            long begun = System.nanoTime();
            ctx.addEndHandler(end -> LogIds.with(
                    Map.of("request", requestId),
                    () -> LOG.debug(
                            "{} {} answered {} after {} ms (request {})",
                            ctx.request().method(),
                            ctx.request().path(),
                            ctx.response().getStatusCode(),
                            (System.nanoTime() - begun) / 1_000_000,
                            requestId)));
        }
    }

    private static String client(HttpServerRequest request) {
        return request.remoteAddress() == null
                ? "unknown"
                : request.remoteAddress().hostAddress();
    }

    private static BodyHandler bodies(long limit) {
        return BodyHandler.create(false).setBodyLimit(limit).setMergeFormAttributes(false);
    }
}
