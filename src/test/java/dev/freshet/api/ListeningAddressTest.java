package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.settings.CannotStart;
import dev.freshet.testing.Eventually;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class ListeningAddressTest {
    @Test
    void a_port_that_is_taken_is_refused_before_the_server_starts() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ListeningAddress address = new ListeningAddress("127.0.0.1", taken.getLocalPort());
            assertEquals(
                    CannotStart.PORT_TAKEN,
                    assertThrows(CannotStart.class, address::refuseIfTaken).exitCode());
        }
    }

    @Test
    void an_address_of_another_machine_is_a_bad_setting_whatever_the_port() {
        for (int port : List.of(0, 45_871)) {
            CannotStart refusal =
                    assertThrows(CannotStart.class, () -> new ListeningAddress("203.0.113.7", port).refuseIfTaken());
            assertEquals(CannotStart.BAD_SETTING, refusal.exitCode());
            assertTrue(refusal.getMessage().startsWith("FRESHET_HOST is \"203.0.113.7\": "), refusal.getMessage());
        }
    }

    @Test
    void a_port_taken_in_the_meantime_is_refused_after_the_server_started() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Server server = new Server("127.0.0.1", taken.getLocalPort())) {
            Eventually.is(Duration.ofSeconds(20), server::isRefused, () -> "refused");
        }
    }

    @Test
    void for_port_0_the_actual_port_is_shown() throws Exception {
        try (Server server = new Server("0.0.0.0", 0)) {
            assertTrue(server.url().matches("http://127\\.0\\.0\\.1:[1-9]\\d*"), server.url());
        }
    }

    private static final class Server implements AutoCloseable {
        private final ListeningAddress address;
        private final Vertx vertx;
        private final DefaultCamelContext context = new DefaultCamelContext();

        Server(String host, int port) throws Exception {
            VertxPlatformHttpServerConfiguration configuration = new VertxPlatformHttpServerConfiguration();
            configuration.setBindHost(host);
            configuration.setBindPort(port);
            address = new ListeningAddress(host, port);
            vertx = address.vertx();
            context.getRegistry().bind("vertx", vertx);
            context.addService(new VertxPlatformHttpServer(configuration));
            context.start();
        }

        String url() {
            return address.url(context);
        }

        boolean isRefused() {
            try {
                url();
                return false;
            } catch (CannotStart refusal) {
                return refusal.exitCode() == CannotStart.PORT_TAKEN;
            }
        }

        @Override
        public void close() {
            context.stop();
            vertx.close();
        }
    }
}
