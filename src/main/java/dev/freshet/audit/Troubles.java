package dev.freshet.audit;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A problem that recurs at every poll is logged when it begins and once a minute after that, not at every poll. */
public final class Troubles {
    private static final Logger LOG = LoggerFactory.getLogger(Troubles.class);
    private static final long REMIND_NANOS = 60_000_000_000L;

    private final Map<String, Long> said = new ConcurrentHashMap<>();

    public void report(String route, Exception trouble) {
        String what = reason(trouble);
        long now = System.nanoTime();
        Long before = said.get(route + what);
        if (before == null || now - before > REMIND_NANOS) {
            said.put(route + what, now);
            LOG.warn("{} will come again at its time: {}", route, what);
            LOG.debug("{}", route, trouble);
        }
    }

    /** What the route was to pass on is lost. The next message is tried like any other. */
    public void lost(String route, Exception trouble) {
        LOG.warn("{} failed: {}", route, reason(trouble));
    }

    private static String reason(Exception trouble) {
        Throwable cause = trouble;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof HttpOperationFailedException answer) {
            return "HTTP " + answer.getStatusCode(); // its message has the address, which is a webhook's secret
        }
        return cause.getMessage() == null
                ? cause.toString()
                : cause.getMessage().lines().findFirst().orElse("");
    }
}
