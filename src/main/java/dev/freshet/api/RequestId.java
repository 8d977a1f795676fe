package dev.freshet.api;

import dev.freshet.run.log.LogIds;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The name that a request goes by in answers, logs and the audit: the caller's own, where it is a sane one. */
public final class RequestId {

    public static final String HEADER = "X-Request-Id";

    private static final Logger LOG = LoggerFactory.getLogger(RequestId.class);
    private static final String GIVEN = "freshet.request-id";
    private static final Pattern SANE = Pattern.compile("[A-Za-z0-9._:-]{1,200}");

    private RequestId() {}

    /** The request's id; it is given one when it has none yet. */
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

    /** A query parameter of the header's name reaches routes as it was sent: not everything may stand in a log. */
    static boolean isSane(String id) {
        return id != null && SANE.matcher(id).matches();
    }

    /** What was asked and answered, and by which id. Queries are not shown: they may hold a key. */
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
