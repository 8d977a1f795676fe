package dev.freshet.deliver;

import org.apache.camel.Route;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Registry;

/** Finds the target whose calls a route makes: from its template's parameters, from a bean, or with defaults. */
final class TargetOfRoute {
    private TargetOfRoute() {}

    static Target of(Route route, Registry registry) {
        RouteDefinition definition = route.getCamelContext()
                .getCamelContextExtension()
                .getContextPlugin(Model.class)
                .getRouteDefinition(route.getRouteId());
        Target templated = TemplatedTarget.of(definition, route.getCamelContext());
        if (templated != null) {
            return templated;
        }
        Target target = of(route.getRouteId(), registry);
        if (!target.saysConcurrency() && route.getEndpoint() instanceof SedaEndpoint entrance) {
            target.setConcurrency(entrance.getConcurrentConsumers());
        }
        return target;
    }

    static Target of(String routeId, Registry registry) {
        String name = routeId.substring(Lanes.ROUTE_PREFIX.length());
        return registry.findByType(Target.class).stream()
                .filter(target -> name.equals(target.getName()))
                .findFirst()
                .orElseGet(() -> withDefaults(name));
    }

    private static Target withDefaults(String name) {
        Target target = new Target();
        target.setName(name);
        return target;
    }
}
