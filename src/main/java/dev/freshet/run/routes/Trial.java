package dev.freshet.run.routes;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.properties.EnvPropertiesFunction;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.CliConnectorFactory;
import org.apache.camel.spi.PropertiesFunction;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.DefaultRegistry;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.PropertyBindingSupport;
import org.apache.camel.support.ResourceHelper;
import org.quartz.simpl.RAMJobStore;
import org.quartz.simpl.ZeroSizeThreadPool;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Starts route files in a context of their own, with the beans and settings of the running one, so that every endpoint,
 * option, bean and expression is resolved. Nothing is consumed: each route's own endpoint is created, and then replaced
 * by one that nothing calls.
 */
final class Trial {
    private final CamelContext running;
    private PropertiesFunction environment = new EnvPropertiesFunction();

    Trial(CamelContext running) {
        this.running = running;
    }

    /** @param variables the environment to use instead of this process's */
    Trial with(PropertiesFunction variables) {
        environment = variables;
        return this;
    }

    /** @throws Exception the failure that the running context would have met, at the first mistake */
    void of(Map<String, String> files) throws Exception {
        of(files, files.keySet());
    }

    /**
     * @param touched files whose routes are started; the others run already, so only their declarations and ids are
     *     read
     */
    void of(Map<String, String> files, Set<String> touched) throws Exception {
        try (DefaultCamelContext scratch = new DefaultCamelContext()) {
            scratch.getCamelContextExtension().setName("trial");
            scratch.setApplicationContextClassLoader(running.getApplicationContextClassLoader());
            CliConnectorFactory cli = scratch.getCamelContextExtension().getContextPlugin(CliConnectorFactory.class);
            if (cli != null) {
                // Camel JBang's connector takes the end of one context as the order to end the process
                cli.setEnabled(false);
            }
            scratch.getCamelContextExtension().setRegistry(new DefaultRegistry(running.getRegistry()));
            Properties settings = new Properties();
            settings.putAll(((PropertiesComponent) running.getPropertiesComponent()).loadProperties());
            scratch.getPropertiesComponent().setOverrideProperties(settings);
            ((PropertiesComponent) scratch.getPropertiesComponent())
                    .setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
            scratch.getPropertiesComponent().addPropertiesFunction(environment);
            scratch.setSourceLocationEnabled(true);
            scratch.disableJMX();
            scratch.start();
            scratch.addComponent("quartz", clockThatStandsStill());
            configureComponents(scratch, settings);
            load(scratch, files, touched, running.getRegistry().findByType(RouteRule.class));
        }
    }

    /**
     * Creating a Quartz endpoint already schedules its trigger, so the scheduler must not run. It has no threads
     * either: Quartz's own take half a second to end, at each trial.
     */
    private static QuartzComponent clockThatStandsStill() {
        QuartzComponent quartz = new QuartzComponent();
        quartz.setAutoStartScheduler(false);
        quartz.setProperties(Map.of(
                "org.quartz.scheduler.instanceName", "trial",
                "org.quartz.threadPool.class", ZeroSizeThreadPool.class.getName(),
                "org.quartz.jobStore.class", RAMJobStore.class.getName()));
        return quartz;
    }

    /**
     * Applies camel.component.NAME.OPTION, as Camel's main does for the running context. "properties" is not such a
     * component, but the source of these settings.
     */
    private static void configureComponents(DefaultCamelContext scratch, Properties settings) {
        Map<String, Map<String, Object>> options = new TreeMap<>();
        for (String key : settings.stringPropertyNames()) {
            String[] parts = key.split("\\.", 4);
            if (key.startsWith("camel.component.") && parts.length == 4 && !parts[2].equals("properties")) {
                options.computeIfAbsent(parts[2], name -> new TreeMap<>()).put(parts[3], settings.getProperty(key));
            }
        }
        options.forEach((name, of) -> PropertyBindingSupport.build()
                .withCamelContext(scratch)
                .withTarget(scratch.getComponent(name))
                .withProperties(of)
                .withFluentBuilder(true)
                .withRemoveParameters(false)
                .bind());
    }

    private static void load(
            DefaultCamelContext scratch, Map<String, String> files, Set<String> touched, Set<RouteRule> rules)
            throws Exception {
        Collection<Resource> resources = new TreeMap<>(files)
                .entrySet().stream()
                        .map(file -> ResourceHelper.fromString(file.getKey(), file.getValue()))
                        .toList();
        Collection<RoutesBuilder> builders =
                PluginHelper.getRoutesLoader(scratch).findRoutesBuilders(resources);
        TrialEntrances entrances = new TrialEntrances(scratch, touched, rules, new RouteOwners());
        for (RoutesBuilder builder : builders) {
            ((RouteBuilder) builder).addLifecycleInterceptor(entrances);
            ((RouteBuilder) builder).configureRoutes(scratch);
            TemplatedRoutes.in((RouteBuilder) builder);
        }
        files.forEach(Trial::refuseOtherThanLists);
        for (RoutesBuilder builder : builders) {
            builder.addRoutesToCamelContext(scratch);
        }
        for (RoutesBuilder builder : builders) {
            builder.addTemplatedRoutesToCamelContext(scratch);
            entrances.ownTemplated((RouteBuilder) builder);
        }
    }

    /** Camel treats a file that contains only a word as one without routes: everything that it had would end. */
    private static void refuseOtherThanLists(String file, String text) {
        Object content = new Load(LoadSettings.builder().setLabel(file).build()).loadFromString(text);
        boolean list = content instanceof List<?> items
                && !items.isEmpty()
                && items.stream().allMatch(Map.class::isInstance);
        boolean integration = content instanceof Map<?, ?> resource && resource.containsKey("apiVersion");
        if (!list && !integration) {
            throw new IllegalArgumentException(
                    "no list of routes, where each begins with \"- route:\" or the like (to take its routes away,"
                            + " delete the file)");
        }
    }
}
