package dev.freshet.api;

import dev.freshet.run.log.LogIds;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The id of a request in answers, logs and the audit: the caller's own, if it is a sane one. */
public final class RequestId {

    public static final String HEADER = "X-Request-Id";

    private static final Logger LOG = LoggerFactory.getLogger(RequestId.class);
    private static final String GIVEN = "freshet.request-id";
    private static final Pattern SANE = Pattern.compile("[A-Za-z0-9._:-]{1,200}");

    private RequestId() {}

    /** Returns the request's id, after assigning one if it has none yet. */
    public static String of(RoutingContext ctx) {
        String known = ctx.get(GIVEN);
        if (known != null) {
            return known;
        }
        String asked = ctx.request().getHeader(HEADER);
        String id = isSane(asked) ? asked : UUID.randomUUID().toString();
        ctx.put(GIVEN, id);
        ctx.request().headers().set(HEADER, id);
        logTheAnswer(ctx, id);
        return id;
    }

    /**
     * A query parameter with the header's name reaches routes as it was sent, and not every text may appear in a log.
     */
    static boolean isSane(String id) {
        return id != null && SANE.matcher(id).matches();
    }

    /** Logs the request, its answer and its id. Queries are omitted, because they may contain a key. */
    private static void logTheAnswer(RoutingContext ctx, String id) {
        if (LOG.isDebugEnabled()) {
            long begun = System.nanoTime();
            ctx.addEndHandler(end -> LogIds.with(
                    Map.of("request", id),
                    () -> LOG.debug(
                            "{} {} answered {} after {} ms (request {})",
                            ctx.request().method(),
                            ctx.request().path(),
                            ctx.response().getStatusCode(),
                            (System.nanoTime() - begun) / 1_000_000,
                            id)));
        }
    }
}
