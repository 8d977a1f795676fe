package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A call goes to the address that it is meant for, and is otherwise a call to the host. Nobody can resolve app.test.
 */
class PinnedRoutesTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    Path folder;

    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final List<HttpServer> servers = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(server -> server.stop(0));
    }

    @Test
    void each_address_gets_its_own_calls_under_the_hosts_name() throws Exception {
        HttpServer one = serve(HttpServer.create(new InetSocketAddress("127.0.0.2", 0), 0));
        int port = one.getAddress().getPort();
        serve(HttpServer.create(new InetSocketAddress("127.0.0.3", port), 0));
        try (CloseableHttpClient client = client(null)) {
            for (String ip : List.of("127.0.0.2", "127.0.0.3", "127.0.0.2")) {
                assertEquals(200, call(client, "http://app.test:" + port + "/x", ip));
            }
        }
        String host = " app.test:" + port + " null";
        assertEquals(List.of("127.0.0.2" + host, "127.0.0.3" + host, "127.0.0.2" + host), seen);
    }

    @Test
    void tls_requests_and_verifies_the_hosts_name() throws Exception {
        SSLContext tls = tls();
        HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.2", 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        serve(server);
        int port = server.getAddress().getPort();
        try (CloseableHttpClient client = client(tls)) {
            assertEquals(200, call(client, "https://app.test:" + port + "/x", "127.0.0.2"));
            assertThrows(SSLException.class, () -> call(client, "https://other.test:" + port + "/x", "127.0.0.2"));
        }
        assertEquals(List.of("127.0.0.2 app.test:" + port + " null app.test"), seen);
    }

    private HttpServer serve(HttpServer server) {
        server.createContext("/", exchange -> {
            String tls = exchange instanceof HttpsExchange secure
                    ? " "
                            + new String(((ExtendedSSLSession) secure.getSSLSession())
                                    .getRequestedServerNames()
                                    .get(0)
                                    .getEncoded())
                    : "";
            seen.add(exchange.getLocalAddress().getAddress().getHostAddress() + " "
                    + exchange.getRequestHeaders().getFirst("Host") + " "
                    + exchange.getRequestHeaders().getFirst(PinnedRoutes.HEADER) + tls);
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
        servers.add(server);
        return server;
    }

    private static int call(CloseableHttpClient client, String url, String ip) throws IOException {
        HttpPost post = new HttpPost(url);
        post.setHeader(PinnedRoutes.HEADER, ip);
        return client.execute(post, answer -> answer.getCode());
    }

    /** Like the client that camel-http makes. */
    private static CloseableHttpClient client(SSLContext tls) {
        HttpClientBuilder builder = HttpClientBuilder.create();
        if (tls != null) {
            builder.setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                    .setTlsSocketStrategy(new DefaultClientTlsStrategy(tls))
                    .build());
        }
        new Deadline(Duration.ofSeconds(10)).configureHttpClient(builder);
        return builder.build();
    }

    private SSLContext tls() throws Exception {
        Path store = folder.resolve("app.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(PASSWORD),
                        "-alias",
                        "app",
                        "-dname",
                        "CN=app.test",
                        "-ext",
                        "SAN=dns:app.test")
                .inheritIO()
                .start();
        assertEquals(0, keytool.waitFor());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("app", keys.getCertificate("app"));
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
