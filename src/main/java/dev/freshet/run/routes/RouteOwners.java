package dev.freshet.run.routes;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.direct.DirectEndpoint;
import org.apache.camel.component.seda.SedaEndpoint;

/** Which file has which route, and which endpoint that others call. No two routes may share either. */
final class RouteOwners {
    private final Map<String, String> files = new HashMap<>();

    void own(Endpoint entrance, RouteBuilder builder) {
        if (entrance instanceof SedaEndpoint || entrance instanceof DirectEndpoint) {
            own(entrance.getEndpointUri().replaceFirst("\\?.*", "").replace("://", ":"), builder);
        }
    }

    /** The running context would let the later route replace the first, or both would take turns. */
    void own(String what, RouteBuilder builder) {
        String file = builder.getResource().getLocation();
        String owner = what == null ? null : files.putIfAbsent(what, file);
        if (owner != null) {
            throw new IllegalArgumentException(
                    owner.equals(file)
                            ? "there are two routes " + what
                            : "both " + owner + " and " + file + " have a route " + what);
        }
    }
}
