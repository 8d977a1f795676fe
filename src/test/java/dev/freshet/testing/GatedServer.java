package dev.freshet.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.api.ApiRates;
import dev.freshet.api.Bind;
import dev.freshet.api.Keys;
import dev.freshet.api.ListeningAddress;
import dev.freshet.api.Problems;
import dev.freshet.api.QuietHeaders;
import dev.freshet.api.RefusalReports;
import dev.freshet.api.RefusedRequest;
import dev.freshet.api.gate.Gate;
import dev.freshet.api.gate.GateMount;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;

/**
 * A real Camel Main with a real HTTP server on a free port, the gate in front of it, and routes that tell what reached
 * them.
 */
public final class GatedServer implements AutoCloseable {

    /** What last reached the route. */
    public static final class Witness {

        private volatile Map<String, Object> headers = Map.of();
        private volatile String body = "";

        public String see(Exchange exchange) {
            Map<String, Object> seen = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            exchange.getIn().getHeaders().forEach(seen::put);
            headers = seen;
            body = exchange.getIn().getBody(String.class);
            return "{\"seen\":true}";
        }

        public Map<String, Object> headers() {
            return headers;
        }

        public String body() {
            return body;
        }
    }

    /** Steps that fail, by name. */
    public static final class Mishaps {

        public String happen(String how, String body) throws Exception {
            switch (how) {
                case "json" -> new ObjectMapper().readTree(body);
                case "shape" -> new ObjectMapper().readValue(body, Map.class);
                case "database" -> throw new SQLException("FATAL: jdbc:postgresql://u:secret@db", "08006");
                case "sql" -> throw new SQLException("ERROR: syntax error in SELECT secret FROM t", "42601");
                default -> throw new IllegalStateException("secret " + how);
            }
            return "{}";
        }
    }

    private static final String ROUTES = """
        - routeConfiguration:
            id: answers
            onException:
              - onException:
                  exception: [java.lang.Throwable]
                  handled: {constant: {expression: "true"}}
                  steps:
                    - bean: {ref: problems, method: answer}
        """;

    public final Witness witness = new Witness();
    public final BlockingQueue<RefusedRequest> reported = new LinkedBlockingQueue<>();
    public final RefusalReports refusals;
    public final RawHttp http;
    private final Main main = new Main();
    private final Vertx vertx = new ListeningAddress("127.0.0.1", 0).vertx();

    public GatedServer(Keys keys, Bind bind, ApiRates limits) {
        this.refusals = new RefusalReports(reported::add);
        GateMount mount = new GateMount(new Gate(keys, bind, limits, refusals));
        main.bind("witness", witness);
        main.bind("mishaps", new Mishaps());
        main.bind("problems", new Problems());
        main.bind("quietHeaders", new QuietHeaders());
        main.bind("vertx", vertx);
        main.setDefaultPropertyPlaceholderLocation("false");
        main.addInitialProperty("camel.main.name", "gated-" + System.identityHashCode(this));
        main.addInitialProperty("camel.server.enabled", "true");
        main.addInitialProperty("camel.server.host", "127.0.0.1");
        main.addInitialProperty("camel.server.port", "0");
        // camel-observability-services would open 0.0.0.0:8080, and routes would be mounted there
        main.addInitialProperty("camel.management.host", "127.0.0.1");
        main.addInitialProperty("camel.management.port", "0");
        // camel-observability-services turns it on with an initial property of its own, which only an override beats
        main.addOverrideProperty("camel.opentelemetry2.enabled", "false");
        main.addInitialProperty("camel.component.platform-http.header-filter-strategy", "#bean:quietHeaders");
        main.addMainListener(new MainListenerSupport() {
            @Override
            public void afterConfigure(BaseMainSupport configured) {
                mount(mount, configured.getCamelContext());
                mount(mount, configured.getCamelContext());
            }
        });
        main.configure().withRoutesIncludePattern("file:" + routes());
        main.start();
        mount(mount, main.getCamelContext());
        // a handler outside Camel, like that of the stream of /live
        router().route("/beside")
                .handler(ctx -> ctx.end("\"" + ctx.request().headers().entries() + "\""));
        http = new RawHttp(router().getServer().getPort());
    }

    private static void mount(GateMount mount, CamelContext context) {
        try {
            mount.mount(context, 0);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    public int gates() {
        return (int) router().getRoutes().stream()
                .filter(route -> route.getMetadata("freshet.gate") != null)
                .count();
    }

    private VertxPlatformHttpRouter router() {
        return VertxPlatformHttpRouter.lookup(main.getCamelContext(), "platform-http-router-0");
    }

    @Override
    public void close() {
        main.stop();
        vertx.close();
    }

    private static String routes() {
        StringBuilder yaml = new StringBuilder(ROUTES);
        String[][] served = {
            {"/api/things/{id}", "GET,POST"},
            {"/api/things/{id}/retry", "POST"},
            {"/functions/v1/cache-invalidation-worker", "POST"},
            {"/live/{eid}/history", "GET,HEAD"},
            {"/live/{eid}/invalidate", "POST"},
            {"/client/index.js", "GET"},
            {"/openapi.json", "GET"},
            {"/admin/info", "GET,POST"},
            {"/demo", "GET"},
            {"/demo/data", "GET"},
            {"/admin/assets/a.css", "GET"},
            {"/demo/assets/a.css", "GET"},
            {"/invalidate/key", "POST"}
        };
        for (String[] route : served) {
            yaml.append("""
                - route:
                    from:
                      uri: platform-http:%s?httpMethodRestrict=%s
                      steps:
                        - bean: {ref: witness, method: see}
                """.formatted(route[0], route[1]));
        }
        yaml.append("""
            - route:
                routeConfigurationId: answers
                from:
                  uri: platform-http:/mishap/{how}
                  steps:
                    - bean: {ref: mishaps, method: "happen(${header.how}, ${bodyAs(String)})"}
            - route:
                routeConfigurationId: answers
                from:
                  uri: platform-http:/refusal
                  steps:
                    - bean: {ref: problems, method: "refuse(409, 'tag: already queued')"}
            - route:
                routeConfigurationId: answers
                from:
                  uri: platform-http:/page
                  steps:
                    - bean: {beanType: dev.freshet.api.Page, method: "of(${header.limit}, ${header.offset})"}
                    - setBody: {simple: "{\\"limit\\":${body.limit},\\"offset\\":${body.offset}}"}
            - route:
                routeConfigurationId: answers
                from:
                  uri: platform-http:/answering
                  steps:
                    - setHeader: {name: X-Secret-Thought, constant: inner}
                    - setHeader: {name: ETag, constant: v1}
                    - setHeader: {name: Cache-Control, constant: max-age=60}
                    - setHeader: {name: Content-Type, constant: text/csv}
                    - setBody: {constant: "a,b"}
            """);
        try {
            Path file = Files.createTempFile("gated", ".yaml");
            file.toFile().deleteOnExit();
            Files.writeString(file, yaml);
            return file.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
