package dev.freshet.observe;

import java.util.List;
import java.util.Map;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.health.HealthCheckResultStrategy;

/**
 * /observe/health needs no key, and with {@code ?data=true&stackTrace=true} Camel would show the causes of its own
 * checks, including addresses and stack traces, to anyone. They are removed here for everyone; a check's name and state
 * remain.
 */
public final class PublicHealth implements HealthCheckResultStrategy {
    static final String GROUP = "freshet";
    private static final List<String> NOBODYS_BUSINESS =
            List.of(HealthCheck.ENDPOINT_URI, "context.version", "context.name");

    @Override
    public void processResult(HealthCheck check, Map<String, Object> options, HealthCheckResultBuilder builder) {
        builder.error(null);
        if (!GROUP.equals(check.getGroup())) {
            builder.message(null);
            // there is no way to remove a detail
            NOBODYS_BUSINESS.stream()
                    .filter(detail -> builder.detail(detail) != null)
                    .forEach(detail -> builder.detail(detail, ""));
        }
    }
}
