package dev.freshet.run;

import dev.freshet.api.ListeningAddress;
import dev.freshet.database.Database;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.live.Published;
import dev.freshet.queue.Probing;
import dev.freshet.run.beans.Parts;
import dev.freshet.run.beans.RouteProperties;
import dev.freshet.run.beans.Wiring;
import dev.freshet.run.log.LogSettings;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.run.routes.RouteFiles;
import dev.freshet.run.routes.Variables;
import dev.freshet.settings.CannotStart;
import dev.freshet.settings.Setting;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import dev.freshet.stats.ConnectionBudget;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.MainSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must hold before the first route starts, in this order. After the last route has stopped, it is undone in
 * reverse order.
 */
public class StartUp extends MainListenerSupport implements AutoCloseable {
    /** Property files; the first one that contains a key wins. */
    static final String PROPERTIES =
            "file:application.properties;optional=true,classpath:application.properties;optional=true";

    private static final Logger LOG = LoggerFactory.getLogger("dev.freshet.Freshet");
    private static final Path ROUTES = Path.of("routes");

    private final StopInOrder stop = new StopInOrder();
    private ListeningAddress listening;
    private Settings settings;
    private Parts parts;
    private LiveRoutes liveRoutes;
    private PreparedDatabase prepared;
    private Database database;
    private Vertx vertx;
    private CannotStart lateRefusal;

    @Override
    public void beforeConfigure(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        Library.lendTo(context);
        PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
        settings = settings(properties);
        LogSettings.apply(settings);
        CamelCli.show(context, settings.flag(Setting.CAMEL_CLI));
        listening = new ListeningAddress(settings.text(Setting.HOST).orElseThrow(), settings.number(Setting.PORT));
        listening.refuseIfTaken();
        prepared = new PreparedDatabase(settings);
        database = prepared.open();
        vertx = listening.vertx();
        context.getRegistry().bind("vertx", vertx);
        context.getRegistry().bind("settings", settings);
        context.getRegistry().bind("database", database);
        context.getRegistry().bind("dataSource", database.pool());
        liveRoutes = new LiveRoutes(context, ROUTES);
        parts = new Parts(
                context,
                settings,
                prepared.hasDemo() && !settings.hasTarget() ? listening.url() + "/demo" : null,
                database.transactions(),
                database.pool(),
                database.single(),
                prepared.address().direct(),
                liveRoutes);
        Wiring.bind(parts);
        beginLive(context);
        Properties overrides = forRoutes(settings);
        overrides.putAll(RouteProperties.of(settings, parts.demoReceiver()));
        properties.setOverrideProperties(overrides);
        readRouteFiles();
    }

    /** From now on, live events go to browsers. This is the first step that queries the database. */
    private static void beginLive(CamelContext context) {
        try {
            context.getRegistry().findSingleByType(Published.class).begin();
        } catch (SQLException e) {
            throw new IllegalStateException("the published order of live events could not be read", e);
        }
    }

    private void readRouteFiles() {
        try {
            liveRoutes.readFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Variables.missing(liveRoutes.files()).forEach((file, names) -> {
            throw new CannotStart(file + " cannot be used: " + Variables.told(names));
        });
    }

    @Override
    public void afterConfigure(BaseMainSupport main) {
        new HttpMounts(parts, prepared.hasDemo()).mount(listening.configuredPort());
        listening.release();
    }

    @Override
    public void afterStart(BaseMainSupport main) {
        try {
            String url = listening.url(main.getCamelContext());
            if (!database.address().pooled()) {
                new ConnectionBudget()
                        .check(
                                main.getCamelContext(),
                                database.single(),
                                settings.number(Setting.STATS_JOBS),
                                settings.number(Setting.POOL_SIZE));
            }
            settings.warning().ifPresent(LOG::warn);
            prepared.address().ownServer().ifPresent(server -> LOG.info("To change something: psql {}", server.url()));
            main.getCamelContext()
                    .getRegistry()
                    .findSingleByType(Replicas.class)
                    .begin();
            main.getCamelContext().getRegistry().findByType(Probing.class).forEach(Probing::begin);
            LOG.info("Freshet is listening on {}", url);
            liveRoutes.start();
        } catch (CannotStart refusal) {
            lateRefusal = refusal; // if it were thrown from here, Camel would only log it
            ((MainSupport) main).completed();
        }
    }

    void throwLateRefusal() {
        if (lateRefusal != null) {
            throw lateRefusal;
        }
    }

    @Override
    public void beforeStop(BaseMainSupport main) {
        liveRoutes.close();
        stop.beforeRoutes(main.getCamelContext().getRegistry());
    }

    @Override
    public void afterStop(BaseMainSupport main) {
        stop.afterRoutes();
    }

    @Override
    public void close() {
        if (vertx != null) {
            vertx.close();
        }
        if (prepared != null) {
            prepared.close();
        }
    }

    static Settings settings(PropertiesComponent properties) {
        // Camel would look for FRESHET_QUEUE_POLL before freshet.queue.poll, and accept an empty value; SettingSources
        // handles both
        properties.setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
        return new Settings(new SettingSources(
                System::getenv, key -> properties.resolveProperty(key).orElse(null)));
    }

    private Properties forRoutes(Settings settings) {
        Properties properties = settings.forRoutes();
        properties.setProperty(Setting.DEMO.key, Boolean.toString(prepared.hasDemo()));
        properties.setProperty(Setting.PORT.key, Integer.toString(listening.configuredPort()));
        properties.setProperty(
                "freshet.run.routes", Files.isDirectory(ROUTES) ? "file:routes/**/*.yaml" : packedRoutes());
        return properties;
    }

    private static String packedRoutes() {
        try {
            return RouteFiles.packedForCamel();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
