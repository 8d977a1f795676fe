package dev.freshet.observe;

import dev.freshet.run.routes.LiveRoutes;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Reports route files that were edited but not accepted. What ran before keeps running, so this is a warning and not a
 * failure.
 */
public final class RoutesCheck extends AbstractHealthCheck {
    private final LiveRoutes routes;

    public RoutesCheck(LiveRoutes routes) {
        super(PublicHealth.GROUP, "routes");
        this.routes = routes;
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        List<String> broken = routes.broken().stream()
                .map(what -> Path.of(what.file()).getFileName() + (what.line() == null ? "" : " line " + what.line()))
                .toList();
        builder.up();
        builder.message(
                broken.isEmpty()
                        ? "all files are in force"
                        : "WARN: not in force, see the log: " + String.join("; ", broken));
    }
}
