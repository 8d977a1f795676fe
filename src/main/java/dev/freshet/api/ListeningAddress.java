package dev.freshet.api;

import dev.freshet.Refusal;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where Freshet listens. Camel only logs that a port is taken, says "started" and serves nobody: so it is asked before and after. */
public final class ListeningAddress {
    private static final Logger LOG = LoggerFactory.getLogger(ListeningAddress.class);

    private final String host;
    private final int port;
    private volatile Throwable failure;

    public ListeningAddress(String host, int port) {
        this.host = host;
        this.port = port;
    }

    public void refuseIfTaken() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
        } catch (IOException e) {
            throw taken(e);
        }
    }

    /** For the registry: Camel's server uses it, and throws its failure to listen at it. */
    public Vertx vertx() {
        Vertx vertx = Vertx.vertx();
        vertx.exceptionHandler(e -> {
            if (e.getCause() instanceof BindException) {
                failure = e.getCause();
            } else {
                LOG.warn("Unexpected", e);
            }
        });
        return vertx;
    }

    /** The address to tell people, of the server that really listens. */
    public String url(CamelContext context) {
        if (failure != null) {
            throw taken(failure);
        }
        return "http://" + shown() + ":" + context.hasService(VertxPlatformHttpServer.class).getPort();
    }

    /** As it is written in the settings: 0 stays 0, and Camel names its router by it. */
    public int configuredPort() {
        return port;
    }

    private Refusal taken(Throwable why) {
        return new Refusal(Refusal.PORT_TAKEN, "Cannot listen on " + host + ":" + port + " (" + why.getMessage()
                + "): stop what listens there, or set FRESHET_PORT to another port (0 = any free one)");
    }

    private String shown() {
        if (host.equals("0.0.0.0") || host.equals("::")) {
            return "127.0.0.1";
        }
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
