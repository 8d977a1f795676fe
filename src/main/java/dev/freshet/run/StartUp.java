package dev.freshet.run;

import dev.freshet.api.ClientFiles;
import dev.freshet.api.ListeningAddress;
import dev.freshet.api.gate.GateMount;
import dev.freshet.console.ConsolePage;
import dev.freshet.console.Overview;
import dev.freshet.database.Adoption;
import dev.freshet.database.Database;
import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.EmbeddedServer;
import dev.freshet.database.Schema;
import dev.freshet.database.Sequences;
import dev.freshet.deliver.fence.FreshAnswer;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.demo.DemoData;
import dev.freshet.demo.DemoPage;
import dev.freshet.live.Stream;
import dev.freshet.observe.RoutesCheck;
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
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.MainSupport;
import org.apache.camel.spi.Registry;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
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
    private Wiring wiring;
    private LiveRoutes liveRoutes;
    private EmbeddedServer embedded;
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
        log(
                settings.text(Setting.LOG_FORMAT).orElseThrow(),
                settings.text(Setting.LOG_LEVEL).orElseThrow());
        listening = new ListeningAddress(settings.text(Setting.HOST).orElseThrow(), settings.number(Setting.PORT));
        listening.refuseIfTaken();
        database = Database.open(
                address(settings),
                settings.number(Setting.POOL_SIZE),
                settings.duration(Setting.DATABASE_TIMEOUT),
                PATIENCE);
        new Adoption().check(database.single());
        new Schema(database.single()).migrate();
        new Sequences(database.single()).raise();
        new Adoption().tryOut(database.single());
        vertx = listening.vertx();
        context.getRegistry().bind("vertx", vertx);
        context.getRegistry().bind("settings", settings);
        context.getRegistry().bind("database", database);
        context.getRegistry().bind("dataSource", database.pool());
        demo = settings.has(Setting.DEMO) ? settings.flag(Setting.DEMO) : embedded != null;
        if (demo) {
            new DemoData(database.single()).load();
        }
        wiring = new Wiring(settings, demo && !settings.hasTarget() ? listening.url() + "/demo" : null);
        liveRoutes = new LiveRoutes(context, ROUTES);
        wiring.bind(context, database.transactions(), database.pool(), database.single(), liveRoutes);
        wiring.begin(context);
        wiring.listen(context, listenAddress(settings));
        context.getRegistry().bind("liveRoutes", liveRoutes);
        context.getRegistry().bind("routesCheck", new RoutesCheck(liveRoutes));
        Properties overrides = forRoutes(settings);
        overrides.putAll(wiring.forRoutes());
        properties.setOverrideProperties(overrides);
        readRouteFiles();
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
                            wiring.gate(main.getCamelContext()),
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
            if (embedded != null) {
                LOG.info("To change something: psql {}", embedded.url());
            }
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
        if (embedded != null) {
            embedded.close();
        }
    }

    static Settings settings(PropertiesComponent properties) {
        // Camel would look for FRESHET_QUEUE_POLL before freshet.queue.poll, and take an empty one; SettingSources
        // knows better
        properties.setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
        return new Settings(new SettingSources(
                System::getenv, key -> properties.resolveProperty(key).orElse(null)));
    }

    /** log4j2.xml knows the environment; what stands in application.properties is known only now. */
    private static void log(String format, String level) {
        boolean jsonSoFar = "json".equals(System.getenv(Setting.LOG_FORMAT.environment));
        if (jsonSoFar != format.equals("json")) {
            System.setProperty(Setting.LOG_FORMAT.key, format);
            Configurator.reconfigure();
        }
        Configurator.setLevel("dev.freshet", Level.valueOf(level));
    }

    private DatabaseUrl address(Settings settings) {
        if (settings.has(Setting.DATABASE_URL)) {
            return parsed(
                    Setting.DATABASE_URL,
                    () -> DatabaseUrl.parse(settings.text(Setting.DATABASE_URL).orElseThrow()));
        }
        if (settings.has(Setting.SUPABASE_URL)) {
            return parsed(
                    Setting.SUPABASE_URL,
                    () -> DatabaseUrl.ofSupabase(
                            settings.text(Setting.SUPABASE_URL).orElseThrow(),
                            settings.text(Setting.SUPABASE_DB_PASSWORD).orElseThrow()));
        }
        embedded = EmbeddedServer.start(
                Path.of(settings.text(Setting.DATA_DIR).orElseThrow()), settings.number(Setting.DB_PORT));
        return embedded.address();
    }

    /** Null where only a transaction pooler is known, through which LISTEN hears nothing. */
    private DatabaseUrl listenAddress(Settings settings) {
        if (settings.has(Setting.LISTEN_URL)) {
            return parsed(
                    Setting.LISTEN_URL,
                    () -> DatabaseUrl.parse(settings.text(Setting.LISTEN_URL).orElseThrow()));
        }
        return database.address().pooled() ? null : database.address();
    }

    private static DatabaseUrl parsed(Setting setting, java.util.function.Supplier<DatabaseUrl> parser) {
        try {
            return parser.get();
        } catch (IllegalArgumentException e) {
            throw new CannotStart(setting.environment + " is " + e.getMessage());
        }
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
