package dev.freshet.run.routes;

import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.TemplatedRouteDefinition;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/** The routes that a file creates from a template: Camel does not record where they come from. */
final class TemplatedRoutes {
    private TemplatedRoutes() {}

    /** @param text the text of a file, or null */
    static Set<String> in(CamelContext context, String file, String text) throws Exception {
        Set<String> ids = new TreeSet<>();
        if (text != null && text.contains("templatedRoute:")) {
            for (RoutesBuilder builder :
                    PluginHelper.getRoutesLoader(context).findRoutesBuilders(ResourceHelper.fromString(file, text))) {
                ((RouteBuilder) builder).configureRoutes(context);
                ids.addAll(in((RouteBuilder) builder));
            }
        }
        return ids;
    }

    /** @param builder must have read its file */
    static Set<String> in(RouteBuilder builder) {
        Set<String> ids = new TreeSet<>();
        for (TemplatedRouteDefinition route :
                builder.getTemplatedRouteCollection().getTemplatedRoutes()) {
            if (route.getRouteId() == null) {
                throw new IllegalArgumentException("a templatedRoute of " + route.getRouteTemplateRef()
                        + " has no routeId: give it one, an edit could not replace it");
            }
            ids.add(route.getRouteId());
        }
        return ids;
    }
}
