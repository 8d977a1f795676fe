package dev.freshet.testing;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.AggregateDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.model.WireTapDefinition;
import org.apache.camel.model.rest.RestDefinition;
import org.apache.camel.model.rest.VerbDefinition;

/**
 * Lets each route begin where a test can send to it, and nothing wait: no clock, no queue, no thread beside the test's.
 */
final class Entrances implements RouteBuilderLifecycleStrategy {
    /** The executor that taps are given. */
    static final String AT_ONCE = "atOnce";

    /** A day: what is gathered leaves by its number, or at the end. */
    private static final String NEVER = "86400000";

    private final Set<String> own = new HashSet<>();
    private final Map<String, String> from = new HashMap<>();
    private final Map<String, String> autoStartup = new HashMap<>();
    private final Map<String, String> requests = new HashMap<>();
    private final Map<String, Long> waits = new HashMap<>();

    @Override
    public void afterConfigure(RouteBuilder builder) {
        builder.getRouteCollection().getRoutes().forEach(this::enter);
        for (RouteTemplateDefinition template :
                builder.getRouteTemplateCollection().getRouteTemplates()) {
            template.getRoute().getInput().setUri("direct:target-{{name}}");
        }
        builder.getRestCollection().getRests().forEach(this::read);
        builder.getRestCollection().getRests().clear(); // they would open a port
    }

    private void enter(RouteDefinition route) {
        String uri = route.getInput().getEndpointUri();
        from.put(route.getRouteId(), uri);
        autoStartup.put(route.getRouteId(), route.getAutoStartup());
        if (!uri.startsWith("direct:")) {
            route.getInput().setUri("direct:" + route.getRouteId());
        }
        own(route.getInput().getEndpointUri().substring("direct:".length()));
        route.setAutoStartup("true");
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), WireTapDefinition.class)
                .forEach(tap -> tap.setExecutorService(AT_ONCE));
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), AggregateDefinition.class)
                .forEach(aggregate -> aggregate.setCompletionTimeout(NEVER));
    }

    private void read(RestDefinition rest) {
        for (VerbDefinition verb : rest.getVerbs()) {
            String path = ((rest.getPath() == null ? "" : rest.getPath()) + '/' + verb.getPath()).replaceAll("/+", "/");
            requests.put(verb.asVerb().toUpperCase(Locale.ROOT) + ' ' + path, verb.getTo().getUri());
        }
    }

    /** A policy tries again at once. */
    void hurry(OnExceptionDefinition policy) {
        if (policy.getRedeliveryPolicyType() != null
                && policy.getRedeliveryPolicyType().getRedeliveryDelay() != null) {
            waits.put(policy.getId(), Long.valueOf(policy.getRedeliveryPolicyType().getRedeliveryDelay()));
            policy.getRedeliveryPolicyType().setRedeliveryDelay("0");
        }
    }

    void own(String route) {
        own.add("direct://" + route);
    }

    boolean isOwn(String uri) {
        return own.contains(uri);
    }

    /** @param where a route's id, or a request */
    String of(String where) {
        if (where.contains(" ")) {
            return known(requests, where);
        }
        String uri = from.getOrDefault(where, "");
        return uri.startsWith("direct:") ? uri : "direct:" + where;
    }

    String from(String route) {
        return known(from, route);
    }

    String autoStartup(String route) {
        return known(autoStartup, route);
    }

    long waits(String onException) {
        return known(waits, onException);
    }

    private static <T> T known(Map<String, T> all, String name) {
        T found = all.get(name);
        if (found == null) {
            throw new AssertionError("no " + name + " among " + all.keySet());
        }
        return found;
    }
}
