package dev.freshet.live;

import com.impossibl.postgres.jdbc.PGDataSource;
import dev.freshet.database.DatabaseUrl;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears other instances say "look now" (camel-pgevent). A hint that is lost or arrives twice changes nothing: without
 * LISTEN, polling finds everything a little later.
 */
public final class Hints {
    private static final Logger LOG = LoggerFactory.getLogger(Hints.class);
    private static final String ROUTE = "hear-live-hint";
    /**
     * The driver logs to standard error that it cannot read dates; hints contain none. The reference is kept because
     * java.util.logging would otherwise drop the logger with its level.
     */
    private static final java.util.logging.Logger DRIVER = java.util.logging.Logger.getLogger("com.impossibl.postgres");

    static {
        DRIVER.setLevel(java.util.logging.Level.SEVERE);
    }

    /** How long to wait before trying again a server that is away. */
    private static final long AGAIN_NANOS = Duration.ofSeconds(10).toNanos();

    private final CamelContext context;
    private final DatabaseUrl direct;
    private final AtomicBoolean said = new AtomicBoolean();
    private long notBefore = System.nanoTime();

    /** @param direct an address that is not a transaction pooler's; null: there is none */
    public Hints(CamelContext context, DatabaseUrl direct) {
        this.context = context;
        this.direct = direct;
    }

    /** A data source with camel-pgevent's own driver, which cannot use the pool. */
    public DataSource source() {
        PGDataSource source = new PGDataSource();
        if (direct != null) {
            String[] first = direct.hosts().split(",")[0].split(":(?=\\d+$)");
            source.setServerName(first[0]);
            source.setPortNumber(Integer.valueOf(first[1]));
            source.setDatabaseName(direct.database());
            source.setUser(direct.user());
            source.setPassword(direct.password() == null ? "" : direct.password());
            source.setApplicationName("freshet hints");
            source.setSslMode(sslMode(direct.parameters().getOrDefault("sslmode", "disable")));
            source.setHousekeeper(false);
        }
        return source;
    }

    private static String sslMode(String mode) {
        return switch (mode) {
            case "require" -> "Require";
            case "verify-ca" -> "VerifyCa";
            case "verify-full" -> "VerifyFull";
            case "prefer" -> "Prefer";
            default -> "Disable";
        };
    }

    /**
     * Starts listening if possible. Called repeatedly, because the server may have been away or the route file may have
     * been edited.
     */
    public void tend() {
        ServiceStatus status = context.getRouteController().getRouteStatus(ROUTE);
        if (direct == null || status == null || !status.isStopped() || System.nanoTime() - notBefore < 0) {
            return;
        }
        try {
            context.getRouteController().startRoute(ROUTE);
            said.set(false);
        } catch (Exception e) {
            notBefore = System.nanoTime() + AGAIN_NANOS;
            if (!said.getAndSet(true)) {
                LOG.info(
                        "No hints from other instances ({}): live events are found by asking every few milliseconds",
                        rootCause(e));
            }
            LOG.debug("No hints", e);
        }
    }

    /** As far as this process knows: a connection that was lost silently is noticed later. */
    public static boolean listens(CamelContext context) {
        ServiceStatus status = context.getRouteController().getRouteStatus(ROUTE);
        return status != null && status.isStarted();
    }

    private static String rootCause(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    }
}
