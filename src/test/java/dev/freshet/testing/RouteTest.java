package dev.freshet.testing;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.Call;
import dev.freshet.deliver.Delivery;
import dev.freshet.deliver.policy.Policy;
import dev.freshet.run.beans.Parts;
import dev.freshet.run.beans.RouteProperties;
import dev.freshet.run.beans.Wiring;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.settings.Setting;
import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Expression;
import org.apache.camel.Processor;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.TemplatedRouteBuilder;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.RedeliveryPolicyDefinition;
import org.apache.camel.model.errorhandler.DefaultErrorHandlerDefinition;
import org.apache.camel.spi.BeanProcessorFactory;
import org.apache.camel.spi.Registry;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.SimpleRegistry;
import org.apache.camel.test.junit6.CamelTestSupport;
import org.apache.camel.util.concurrent.SynchronousExecutorService;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Tests a file of routes/ by itself, without a database. What it calls outside of itself is noted in order: a bean's
 * method as {@code turn.take()}, an endpoint as {@code seda:offer} with the body that is sent there, a line of the log
 * as {@code INFO Watch: …}; {@link #answer} sets what they return. HTTP and the beans that need no database are real.
 */
public abstract class RouteTest extends CamelTestSupport {
    private static final String LOG = "dev.freshet.routes";
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "VERCEL_DEPLOYMENT_URL", "http://app.test",
            "REVALIDATION_SECRET", "tag-secret",
            "CACHE_INVALIDATION_URL", "http://app.test/batch",
            "INTERNAL_API_KEY", "batch-key");
    private static final Settings SETTINGS = new Settings(new SettingSources(ENVIRONMENT::get, key -> null));
    /** These need no database. notifyTopic is here only because Camel makes no endpoint for a bean that is missing. */
    private static final Set<String> REAL = Set.of(
            "answer",
            "awsSignature",
            "batchKey",
            "edgeGrid",
            "notifyTopic",
            "plainCall",
            "problems",
            "refreshes",
            "requests",
            "spelling",
            "tagOrTags",
            "tagSecret",
            "tagSignature",
            "targetHttp");

    private static final Map<String, Object> BEANS = beans();
    private static final Pattern INTERVAL = Pattern.compile("(?:period|repeatInterval)=(\\d+)(?:&|$)");

    static {
        Configurator.setLevel(LOG, Level.DEBUG); // what is not logged is not noted
    }

    private final List<String> files;
    private final Set<String> real = new HashSet<>(REAL);
    private final Map<String, String> properties = new HashMap<>();
    private final Journal journal = new Journal();
    private final Entrances entrances = new Entrances(journal);

    /** @param files below routes/: first the one under test, then those to be tested together with it */
    protected RouteTest(String... files) {
        this.files = List.of(files);
    }

    /** Also notes this bean, although it needs no database. To be called before the routes start. */
    protected void note(String bean) {
        real.remove(bean);
    }

    /** To be called before the routes start. */
    protected void set(String property, String value) {
        properties.put(property, value);
    }

    /** Sets what a bean's method such as {@code turn.take}, or an endpoint, returns, one after the other, or throws. */
    protected void answer(String what, Object... inTurn) {
        journal.answer(what, inTurn);
    }

    /** What has been called since this was last asked. */
    protected List<String> happened() {
        return journal.taken();
    }

    /**
     * @param where as routes write it, {@code direct:take-turn}; a request such as {@code GET /api/queue}; or the id of
     *     a route that a timer starts
     */
    protected Exchange send(String where) throws Exception {
        return send(where, null);
    }

    protected Exchange send(String where, Object body) throws Exception {
        return send(where, body, Map.of());
    }

    protected Exchange send(String where, Object body, Map<String, Object> headers) throws Exception {
        return send(where, body, headers, Map.of());
    }

    /** @throws Exception what nothing in the files has handled */
    protected Exchange send(String where, Object body, Map<String, Object> headers, Map<String, Object> variables)
            throws Exception {
        Exchange sent = template.send(entrances.of(where), exchange -> {
            exchange.getMessage().setBody(body);
            exchange.getMessage().setHeaders(new HashMap<>(headers));
            variables.forEach(exchange::setVariable);
        });
        if (sent.getException() != null) {
            throw sent.getException();
        }
        return sent;
    }

    /** The text of an answer. */
    protected static String text(Exchange answered) {
        return answered.getMessage().getBody(String.class);
    }

    protected static Object header(Exchange answered, String name) {
        return answered.getMessage().getHeader(name);
    }

    protected static Call call(String... tags) {
        return Call.of(Arrays.stream(tags)
                .map(tag -> new Delivery(
                        "cdn", tag, 1, 1, "lease", tags.length, tags.length, 0, 0, Long.MAX_VALUE, false, Policy.NONE))
                .toList());
    }

    /** The route of a target, {@code target-cdn}, made from a template. */
    protected void target(String template, Map<String, String> parameters) throws Exception {
        TemplatedRouteBuilder route = TemplatedRouteBuilder.builder(context, template)
                .routeId("target-cdn")
                .parameter("name", "cdn");
        parameters.forEach(route::parameter);
        route.add();
    }

    /** A test's own routes, in addition to those of its files. */
    protected void add(RouteBuilder routes) throws Exception {
        routes.addLifecycleInterceptor(entrances);
        context.addRoutes(routes);
    }

    /** Where a route listens when it is not under test. */
    protected String from(String route) {
        return context.resolvePropertyPlaceholders(entrances.from(route));
    }

    /** How often a timer starts the route. */
    protected Duration every(String route) {
        Matcher interval = INTERVAL.matcher(from(route));
        if (!interval.find()) {
            throw new AssertionError(route + " has no clock: " + from(route));
        }
        boolean isQuartz = from(route).startsWith("quartz:");
        if (isQuartz
                && !(from(route).contains("trigger.repeatCount=-1")
                        && from(route).contains("stateful=true"))) {
            throw new AssertionError(route + " ends, or meets itself: " + from(route));
        }
        return Duration.ofMillis(Long.parseLong(interval.group(1)));
    }

    /** Whether the route starts by itself. */
    protected String autoStartup(String route) {
        return context.resolvePropertyPlaceholders(entrances.autoStartup(route));
    }

    /** How long an onException waits before each further attempt when it is not under test. */
    protected List<Duration> waits(String onException) {
        return entrances.waits(onException);
    }

    @Override
    protected CamelContext createCamelContext() throws Exception {
        CamelContext created = super.createCamelContext();
        created.getPropertiesComponent().setOverrideProperties(properties());
        created.build();
        created.getGlobalOptions().put(Exchange.LOG_EIP_NAME, LOG);
        DefaultErrorHandlerDefinition quiet = new DefaultErrorHandlerDefinition(); // send() throws what fails
        quiet.setRedeliveryPolicy(new RedeliveryPolicyDefinition().logExhausted(false));
        created.getCamelContextExtension().setErrorHandlerFactory(quiet);
        Map<String, Object> replaced = new HashMap<>(BEANS);
        replaced.keySet().removeAll(real);
        NotedBeans beans = new NotedBeans(created, replaced, journal);
        created.getCamelContextExtension().addContextPlugin(BeanProcessorFactory.class, beans);
        created.getRegistry().bind("bean-language", beans);
        created.getComponent("http", HttpComponent.class)
                .setHttpClientConfigurer((HttpClientConfigurer) BEANS.get("targetHttp"));
        created.getCamelContextExtension().addLogListener((exchange, log, message) -> {
            journal.add(log.getLevel().name() + ' ' + message);
            return message;
        });
        created.getCamelContextExtension()
                .registerEndpointCallback((uri, endpoint) -> entrances.isOwn(uri) || uri.startsWith("http")
                        ? endpoint
                        : new NotedEndpoint(endpoint, journal));
        return created;
    }

    @Override
    protected void bindToRegistry(Registry registry) {
        BEANS.forEach((name, bean) -> {
            if (real.contains(name) || bean instanceof Expression) {
                registry.bind(name, bean);
            } else if (bean instanceof Processor) {
                registry.bind(name, (Processor)
                        exchange -> journal.reach(name, exchange.getMessage().getBody()));
            }
        });
        registry.bind("dataSource", new PGSimpleDataSource());
        registry.bind("statsThreads", new SynchronousExecutorService());
        registry.bind(Entrances.AT_ONCE, new SynchronousExecutorService());
    }

    private Properties properties() {
        Properties all = SETTINGS.forRoutes();
        all.putAll(RouteProperties.of(SETTINGS, null));
        all.setProperty(Setting.DEMO.key, "false");
        all.putAll(properties);
        return all;
    }

    @Override
    protected RoutesBuilder[] createRouteBuilders() throws Exception {
        List<Resource> resources = files.stream()
                .map(file -> ResourceHelper.resolveResource(context, "file:" + Path.of("routes", file)))
                .toList();
        Collection<RoutesBuilder> builders =
                PluginHelper.getRoutesLoader(context).findRoutesBuilders(resources);
        for (RoutesBuilder builder : builders) {
            ((RouteBuilder) builder).addLifecycleInterceptor(entrances);
            context.addRoutesConfigurations((RouteConfigurationsBuilder) builder);
        }
        context.getRouteConfigurationDefinitions()
                .forEach(policy -> policy.getOnExceptions().forEach(entrances::hurry));
        return builders.toArray(RoutesBuilder[]::new);
    }

    /** Names and classes of the beans, as in a Freshet without a database. */
    private static Map<String, Object> beans() {
        SimpleRegistry registry = new SimpleRegistry();
        PGSimpleDataSource none = new PGSimpleDataSource();
        CamelContext context = new DefaultCamelContext(registry);
        context.build();
        Wiring.bind(new Parts(
                context,
                SETTINGS,
                null,
                new Transactions(none),
                none,
                none,
                null,
                new LiveRoutes(context, Path.of("routes"))));
        Map<String, Object> beans = new HashMap<>();
        registry.keySet().forEach(name -> beans.put(name, registry.lookupByName(name)));
        return beans;
    }
}
