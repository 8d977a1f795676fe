package dev.freshet.api;

import dev.freshet.settings.CannotStart;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The address on which Freshet listens. If the port is taken, Camel only logs that, reports "started" and serves
 * nothing. So this class checks before the start and after it.
 */
public final class ListeningAddress {
    private static final Logger LOG = LoggerFactory.getLogger(ListeningAddress.class);

    private final String host;
    private final int port;
    private int found;
    private ServerSocket held;
    private volatile Throwable failure;

    public ListeningAddress(String host, int port) {
        this.host = host;
        this.port = port;
    }

    /**
     * For port 0 it finds a free port and holds it until {@link #release()}, because others have to know the port
     * before Camel's server does.
     */
    public void refuseIfTaken() {
        try {
            held = new ServerSocket();
            held.bind(new InetSocketAddress(InetAddress.getByName(host), port), 1);
            if (port != 0) {
                release();
            } else {
                found = held.getLocalPort();
            }
        } catch (IOException e) {
            release();
            throw refusal(e);
        }
    }

    /** Must be called right before Camel's server starts. */
    public void release() {
        try {
            if (held != null) {
                held.close();
            }
        } catch (IOException e) {
            LOG.debug("The port is not free yet", e);
        }
    }

    /** For the registry: Camel's server uses it, and it records a failure to listen. */
    public Vertx vertx() {
        Vertx vertx = Vertx.vertx();
        vertx.exceptionHandler(e -> {
            if (e.getCause() instanceof BindException) {
                failure = e.getCause();
            } else {
                LOG.warn("Unexpected", e);
            }
        });
        return new Http1Only((VertxInternal) vertx);
    }

    /**
     * Upgrading to HTTP/2 without TLS gains nothing here, and Java's own client, which always asks for it, sometimes
     * waits forever after one.
     */
    private static final class Http1Only extends VertxWrapper {
        Http1Only(VertxInternal vertx) {
            super(vertx);
        }

        @Override
        public HttpServer createHttpServer(HttpServerOptions options) {
            return super.createHttpServer(options.setHttp2ClearTextEnabled(false));
        }
    }

    /** The address to show to people, once the server listens. */
    public String url(CamelContext context) {
        if (failure != null) {
            throw refusal(failure);
        }
        return "http://" + shown() + ":"
                + context.hasService(VertxPlatformHttpServer.class).getPort();
    }

    /** The address to show to people, before the server listens. */
    public String url() {
        return "http://" + shown() + ":" + configuredPort();
    }

    /** The port that Camel is configured with, which is also part of its router's name. */
    public int configuredPort() {
        return found == 0 ? port : found;
    }

    private CannotStart refusal(Throwable why) {
        if (!isOfThisMachine()) {
            return new CannotStart("FRESHET_HOST is \"" + host + "\": this machine has no such address ("
                    + why.getMessage() + "); write 127.0.0.1, one of its own, or 0.0.0.0 for all of them");
        }
        return new CannotStart(
                CannotStart.PORT_TAKEN,
                "Cannot listen on " + host + ":" + port + " (" + why.getMessage()
                        + "): stop what listens there, or set FRESHET_PORT to another port (0 = any free one)");
    }

    /** Whether any port of it can be had: the text of a BindException is in the operator's language. */
    private boolean isOfThisMachine() {
        try (ServerSocket anyPort = new ServerSocket()) {
            anyPort.bind(new InetSocketAddress(InetAddress.getByName(host), 0), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private String shown() {
        if (host.equals("0.0.0.0") || host.equals("::")) {
            return "127.0.0.1";
        }
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
