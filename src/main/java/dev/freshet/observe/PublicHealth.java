package dev.freshet.observe;

import java.util.List;
import java.util.Map;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.health.HealthCheckResultStrategy;

/**
 * /observe/health needs no key, and Camel shows whoever asks for them ({@code ?data=true&stackTrace=true}) the causes
 * of its own checks with addresses and stack traces: here they are taken out, whoever asks. A check's name and state
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
            // there is no way to remove one
            NOBODYS_BUSINESS.stream()
                    .filter(detail -> builder.detail(detail) != null)
                    .forEach(detail -> builder.detail(detail, ""));
        }
    }
}
