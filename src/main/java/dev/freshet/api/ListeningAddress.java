package dev.freshet.api;

import dev.freshet.Refusal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;

/** Where Freshet listens. Camel only logs that a port is taken, says "started" and serves nobody: so it is asked before and after. */
public final class ListeningAddress {
    private final String host;
    private final int port;

    public ListeningAddress(String host, int port) {
        this.host = host;
        this.port = port;
    }

    public void refuseIfTaken() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
        } catch (IOException e) {
            throw taken(e.getMessage());
        }
    }

    /** The address to tell people, of the server that really listens. */
    public String url(CamelContext context) {
        VertxPlatformHttpServer server = context.hasService(VertxPlatformHttpServer.class);
        if (server == null || server.getServer() == null || !isListening(server)) {
            throw taken("somebody was faster");
        }
        return "http://" + shown() + ":" + server.getPort();
    }

    private boolean isListening(VertxPlatformHttpServer server) {
        return server.getPort() > 0;
    }

    private Refusal taken(String why) {
        return new Refusal(Refusal.PORT_TAKEN, "Cannot listen on " + host + ":" + port + " (" + why
                + "): stop what listens there, or set FRESHET_PORT to another port (0 = any free one)");
    }

    private String shown() {
        if (host.equals("0.0.0.0") || host.equals("::")) {
            return "127.0.0.1";
        }
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
