package dev.freshet.run.routes;

import java.util.Map;
import java.util.Set;
import org.apache.camel.Endpoint;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;

/**
 * Creates each route's endpoint, and lets the route itself start from another one. REST operations are removed, because
 * they only lead to routes and open ports.
 *
 * @param touched files whose routes are started
 */
record TrialEntrances(DefaultCamelContext scratch, Set<String> touched, Set<RouteRule> rules, RouteOwners owners)
        implements RouteBuilderLifecycleStrategy {
    @Override
    public void afterConfigure(RouteBuilder builder) {
        for (RouteDefinition route : builder.getRouteCollection().getRoutes()) {
            Endpoint entrance = scratch.getEndpoint(
                    scratch.resolvePropertyPlaceholders(route.getInput().getEndpointUri()));
            if (entrance instanceof SedaEndpoint seda) {
                seda.getQueue(); // the consumer of a queue determines its size
            }
            owners.own(entrance, builder);
            owners.own(route.getId(), builder);
            if (touched.contains(builder.getResource().getLocation())) {
                rules.forEach(rule -> rule.check(route, scratch));
            }
            route.getInput()
                    .setUri("direct:trial-of-"
                            + (route.getId() == null ? System.identityHashCode(route) : route.getId()));
            route.setAutoStartup("true");
        }
        // routes from templates are built but never started
        builder.getRouteTemplateCollection()
                .getRouteTemplates()
                .forEach(template -> template.getRoute().setAutoStartup("false"));
        builder.getRestCollection().getRests().clear();
        if (!touched.contains(builder.getResource().getLocation())) {
            builder.getRouteCollection().getRoutes().clear();
        }
    }

    /** Must be called when the templated routes have been created. */
    void ownTemplated(RouteBuilder builder) {
        Model model = scratch.getCamelContextExtension().getContextPlugin(Model.class);
        for (String id : TemplatedRoutes.in(builder)) {
            RouteDefinition route = model.getRouteDefinition(id);
            String uri = route.getInput().getEndpointUri();
            for (Map.Entry<String, Object> parameter :
                    route.getTemplateParameters().entrySet()) {
                uri = uri.replace("{{" + parameter.getKey() + "}}", String.valueOf(parameter.getValue()));
            }
            owners.own(scratch.getEndpoint(scratch.resolvePropertyPlaceholders(uri)), builder);
            owners.own(id, builder);
        }
    }
}
