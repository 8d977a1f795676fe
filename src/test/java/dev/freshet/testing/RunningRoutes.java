package dev.freshet.testing;

import dev.freshet.live.Published;
import dev.freshet.run.beans.Parts;
import dev.freshet.run.beans.RouteProperties;
import dev.freshet.run.beans.Wiring;
import dev.freshet.run.routes.HurriedQueues;
import dev.freshet.run.stop.StopsFirst;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.main.Main;

/** The routes of some files with the parts that they name, on a test's database and without the HTTP server. */
public final class RunningRoutes implements AutoCloseable {
    private final Main main = new Main();
    private final CamelContext context;

    /** @param environment NAME=value */
    public RunningRoutes(TestDatabase database, List<String> files, String... environment) throws Exception {
        Map<String, String> values =
                new HashMap<>(Map.of("FRESHET_DEBOUNCE", "0", "FRESHET_QUEUE_POLL", "50ms", "FRESHET_BUCKET", "1d"));
        for (String variable : environment) {
            String[] pair = variable.split("=", 2);
            values.put(pair[0], pair[1]);
        }
        Settings settings = new Settings(new SettingSources(values::get, key -> null));
        main.setDefaultPropertyPlaceholderLocation("false");
        main.addInitialProperty("camel.main.name", "routes-" + System.identityHashCode(this));
        main.addInitialProperty("camel.component.http.http-client-configurer", "#targetHttp");
        main.addInitialProperty("camel.component.sql.data-source", "#dataSource");
        main.addInitialProperty("camel.component.seda.default-queue-factory", "#routeQueues");
        // camel-observability-services would open 0.0.0.0:8080
        main.addInitialProperty("camel.management.host", "127.0.0.1");
        main.addInitialProperty("camel.management.port", "0");
        main.addInitialProperty("camel.main.shutdownTimeout", "5");
        main.addInitialProperty("camel.metrics.enableExchangeEventNotifier", "false");
        main.addInitialProperty("camel.metrics.enableRoutePolicy", "false");
        main.addInitialProperty("camel.main.jmxEnabled", "false");
        main.addOverrideProperty("camel.opentelemetry2.enabled", "false");
        Properties overrides = settings.forRoutes();
        overrides.putAll(RouteProperties.of(settings, null));
        overrides.forEach((key, value) -> main.addOverrideProperty((String) key, (String) value));
        main.configure()
                .withRoutesIncludePattern(
                        files.stream().map(file -> "file:routes/" + file).collect(Collectors.joining(",")));
        main.addMainListener(new org.apache.camel.main.MainListenerSupport() {
            @Override
            public void beforeConfigure(org.apache.camel.main.BaseMainSupport configured) {
                javax.sql.DataSource pool = database.pool(10);
                configured.getCamelContext().getRegistry().bind("dataSource", pool);
                Wiring.bind(new Parts(
                        configured.getCamelContext(),
                        settings,
                        null,
                        new dev.freshet.database.Transactions(pool),
                        pool,
                        database.pool(JobFunctions.COUNT),
                        null,
                        new dev.freshet.run.routes.LiveRoutes(
                                configured.getCamelContext(), java.nio.file.Path.of("no-such-folder"))));
                begin(configured.getCamelContext());
            }
        });
        main.start();
        context = main.getCamelContext();
    }

    private static void begin(CamelContext context) {
        try {
            context.getRegistry().findSingleByType(Published.class).begin();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public <T> T bean(Class<T> type) {
        return context.getRegistry().findSingleByType(type);
    }

    public CamelContext context() {
        return context;
    }

    /** Ends what would keep the routes busy first, as Freshet does. Nothing is handed back. */
    @Override
    public void close() {
        context.getRegistry().findByType(StopsFirst.class).forEach(StopsFirst::stop);
        context.getRegistry().findByType(HurriedQueues.class).forEach(HurriedQueues::hurry);
        main.stop();
    }
}
