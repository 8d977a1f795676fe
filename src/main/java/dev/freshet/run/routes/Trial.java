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
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Starts route files in a context of their own, with the beans and settings of the running one: every endpoint, option,
 * bean and expression is resolved. Nothing is consumed: each route's own endpoint is made, and then stands aside for
 * one that nobody calls.
 */
final class Trial {
    private final CamelContext running;
    private PropertiesFunction environment = new EnvPropertiesFunction();

    Trial(CamelContext running) {
        this.running = running;
    }

    /** @param variables of the environment, in the place of this process's */
    Trial with(PropertiesFunction variables) {
        environment = variables;
        return this;
    }

    /** @throws Exception what the running context would have met, at the first thing that is wrong */
    void of(Map<String, String> files) throws Exception {
        of(files, files.keySet());
    }

    /**
     * @param touched whose routes are started; of the others nothing is asked but what they have and are called, since
     *                they run already
     */
    void of(Map<String, String> files, Set<String> touched) throws Exception {
        try (DefaultCamelContext scratch = new DefaultCamelContext()) {
            scratch.getCamelContextExtension().setName("trial");
            scratch.setApplicationContextClassLoader(running.getApplicationContextClassLoader());
            CliConnectorFactory cli = scratch.getCamelContextExtension().getContextPlugin(CliConnectorFactory.class);
            if (cli != null) {
                cli.setEnabled(false); // Camel JBang's takes the end of one context for the order to end the process
            }
            scratch.getCamelContextExtension().setRegistry(new DefaultRegistry(running.getRegistry()));
            Properties settings = new Properties();
            settings.putAll(((PropertiesComponent) running.getPropertiesComponent()).loadProperties());
            scratch.getPropertiesComponent().setOverrideProperties(settings);
            ((PropertiesComponent) scratch.getPropertiesComponent())
                    .setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
            scratch.getPropertiesComponent().addPropertiesFunction(environment);
            scratch.setSourceLocationEnabled(true);
            scratch.start();
            scratch.addComponent("quartz", clockThatStandsStill());
            configureComponents(scratch, settings);
            load(scratch, files, touched, running.getRegistry().findByType(RouteRule.class));
        }
    }

    /** Making an endpoint of Quartz's already sets its trigger. */
    private static QuartzComponent clockThatStandsStill() {
        QuartzComponent quartz = new QuartzComponent();
        quartz.setAutoStartScheduler(false);
        return quartz;
    }

    /**
     * As Camel's main does it for the running one: camel.component.NAME.OPTION; "properties" is no component, but where
     * these came from.
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

    /** Camel takes a file that is only a word for one without routes: all that it had would end. */
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
