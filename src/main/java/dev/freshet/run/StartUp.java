package dev.freshet.run;

import dev.freshet.api.ClientFiles;
import dev.freshet.api.ListeningAddress;
import dev.freshet.api.gate.GateMount;
import dev.freshet.console.ConsolePage;
import dev.freshet.console.Overview;
import dev.freshet.database.Adoption;
import dev.freshet.database.Database;
import dev.freshet.database.Schema;
import dev.freshet.database.Sequences;
import dev.freshet.deliver.fence.FreshAnswer;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.demo.DemoData;
import dev.freshet.demo.DemoPage;
import dev.freshet.live.Published;
import dev.freshet.live.Stream;
import dev.freshet.run.beans.ApiBeans;
import dev.freshet.run.beans.Parts;
import dev.freshet.run.beans.RouteProperties;
import dev.freshet.run.beans.Wiring;
import dev.freshet.run.log.LogSettings;
import dev.freshet.run.routes.HurriedQueues;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.run.routes.Variables;
import dev.freshet.run.stop.HandsBackOnStop;
import dev.freshet.run.stop.StopsFirst;
import dev.freshet.settings.CannotStart;
import dev.freshet.settings.Setting;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import dev.freshet.stats.ConnectionBudget;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.MainSupport;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be true before the first route starts, in this order; and what is undone, in the reverse order, after the
 * last has stopped.
 */
public class StartUp extends MainListenerSupport implements AutoCloseable {
    /** The first one that has a key wins. */
    static final String PROPERTIES =
            "file:application.properties;optional=true,classpath:application.properties;optional=true";

    private static final Logger LOG = LoggerFactory.getLogger("dev.freshet.Freshet");
    private static final Path ROUTES = Path.of("routes");
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private ListeningAddress listening;
    private Settings settings;
    private Parts parts;
    private LiveRoutes liveRoutes;
    private DatabaseAddress address;
    private boolean demo;
    private Database database;
    private Vertx vertx;
    private CannotStart lateRefusal;
    private List<HandsBackOnStop> handBacks = List.of();

    @Override
    public void beforeConfigure(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        Library.lendTo(context);
        PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
        settings = settings(properties);
        LogSettings.apply(settings);
        listening = new ListeningAddress(settings.text(Setting.HOST).orElseThrow(), settings.number(Setting.PORT));
        listening.refuseIfTaken();
        openDatabase();
        vertx = listening.vertx();
        context.getRegistry().bind("vertx", vertx);
        context.getRegistry().bind("settings", settings);
        context.getRegistry().bind("database", database);
        context.getRegistry().bind("dataSource", database.pool());
        liveRoutes = new LiveRoutes(context, ROUTES);
        parts = new Parts(
                context,
                settings,
                demo && !settings.hasTarget() ? listening.url() + "/demo" : null,
                database.transactions(),
                database.pool(),
                database.single(),
                address.direct(),
                liveRoutes);
        Wiring.bind(parts);
        beginLive(context);
        Properties overrides = forRoutes(settings);
        overrides.putAll(RouteProperties.of(settings, parts.demoReceiver()));
        properties.setOverrideProperties(overrides);
        readRouteFiles();
    }

    private void openDatabase() {
        address = new DatabaseAddress(settings);
        database = Database.open(
                address.url(),
                settings.number(Setting.POOL_SIZE),
                settings.duration(Setting.DATABASE_TIMEOUT),
                PATIENCE);
        new Adoption().check(database.single());
        new Schema(database.single()).migrate();
        new Sequences(database.single()).raise();
        new Adoption().tryOut(database.single());
        demo = settings.has(Setting.DEMO)
                ? settings.flag(Setting.DEMO)
                : address.ownServer().isPresent();
        if (demo) {
            new DemoData(database.single()).load();
        }
    }

    /** Live events go to browsers from now on. The first that asks the database for anything. */
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
        try {
            new GateMount(
                            ApiBeans.gate(parts),
                            router -> mountBehind(main.getCamelContext().getRegistry(), router))
                    .mount(main.getCamelContext(), listening.configuredPort());
        } catch (Exception e) {
            throw new IllegalStateException("the gate could not be mounted", e);
        }
        listening.release();
    }

    private void mountBehind(Registry registry, Router router) {
        registry.findSingleByType(Stream.class).mountOn(router);
        registry.findSingleByType(FreshAnswer.class).mountOn(router);
        new ClientFiles().mountOn(router);
        new ConsolePage(registry.findSingleByType(Overview.class), settings.hasKey()).mountOn(router);
        if (demo) {
            new DemoPage(settings.hasKey(), settings.has(Setting.LIVE_KEY)).mountOn(router);
        }
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
            address.ownServer().ifPresent(server -> LOG.info("To change something: psql {}", server.url()));
            main.getCamelContext()
                    .getRegistry()
                    .findSingleByType(Replicas.class)
                    .begin();
            LOG.info("Freshet is listening on {}", url);
            liveRoutes.start();
        } catch (CannotStart refusal) {
            lateRefusal = refusal; // thrown from here, Camel would only log it
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
        main.getCamelContext().getRegistry().findByType(StopsFirst.class).forEach(StopsFirst::stop);
        main.getCamelContext().getRegistry().findByType(HurriedQueues.class).forEach(HurriedQueues::hurry);
        handBacks = List.copyOf(main.getCamelContext().getRegistry().findByType(HandsBackOnStop.class));
    }

    @Override
    public void afterStop(BaseMainSupport main) {
        for (HandsBackOnStop handBack : handBacks) {
            try {
                handBack.handBack();
            } catch (Exception e) {
                LOG.warn("{} could not hand back: {}", handBack.getClass().getSimpleName(), e.toString());
            }
        }
        handBacks = List.of();
    }

    @Override
    public void close() {
        if (vertx != null) {
            vertx.close();
        }
        if (database != null) {
            database.close();
        }
        if (address != null) {
            address.close();
        }
    }

    static Settings settings(PropertiesComponent properties) {
        // Camel would look for FRESHET_QUEUE_POLL before freshet.queue.poll, and take an empty one; SettingSources
        // knows better
        properties.setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
        return new Settings(new SettingSources(
                System::getenv, key -> properties.resolveProperty(key).orElse(null)));
    }

    private Properties forRoutes(Settings settings) {
        Properties properties = settings.forRoutes();
        properties.setProperty(Setting.DEMO.key, Boolean.toString(demo));
        properties.setProperty(Setting.PORT.key, Integer.toString(listening.configuredPort()));
        properties.setProperty(
                "freshet.run.routes",
                Files.isDirectory(ROUTES)
                        ? "file:routes/**/*.yaml"
                        : "classpath:routes/*.yaml,classpath:routes/templates/*.yaml,classpath:routes/targets/*.yaml");
        return properties;
    }
}
