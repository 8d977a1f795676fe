package dev.freshet.deliver;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.Model;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.TemplatedRouteDefinition;
import org.apache.camel.model.TemplatedRouteParameterDefinition;
import org.apache.camel.spi.Resource;

/**
 * Lets a file of six lines define a target: the file NAME.camel.yaml in a folder targets/ creates the route target-NAME
 * from a template. The template gets the name as a parameter, and its steps' ids get it as a prefix, because two
 * targets may use the same template. Invalid parameters are refused by name, in a trial as well as at the start.
 */
public final class TargetFiles extends ModelLifecycleStrategySupport implements RouteBuilderLifecycleStrategy {
    static final String NAME = "name";
    static final String TEMPLATE = "template";
    private static final Pattern IN_TARGETS = Pattern.compile("(?:.*[/:])?targets/([^/]+?)(?:\\.camel)?\\.yaml");
    /** Without this, {@code {"keys":{tags}}} would end like a placeholder of Camel's. */
    private static final Pattern IN_JSON = Pattern.compile("(\\{tags?})}");

    private static final Pattern NAMES = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

    private final Map<String, Resource> files = new ConcurrentHashMap<>();

    @Override
    public void afterConfigure(RouteBuilder builder) {
        // use the context that the file is loaded into, which may be that of a trial; a context takes each strategy
        // only once
        builder.getContext()
                .getCamelContextExtension()
                .getContextPlugin(Model.class)
                .addModelLifecycleStrategy(this);
        String fromFile = nameFrom(builder.getResource());
        for (TemplatedRouteDefinition route :
                builder.getTemplatedRouteCollection().getTemplatedRoutes()) {
            String id = route.getRouteId() == null ? fromFile : route.getRouteId();
            if (id != null && (fromFile != null || id.startsWith(Lanes.ROUTE_PREFIX))) {
                complete(route, id.startsWith(Lanes.ROUTE_PREFIX) ? id.substring(Lanes.ROUTE_PREFIX.length()) : id);
                files.put(route.getRouteId(), builder.getResource());
            }
        }
    }

    /** Validates before anything is created: otherwise a wrong address would be reported in Camel's words. */
    @Override
    public void onAddRouteDefinition(RouteDefinition route) {
        if (route.getRouteTemplateContext() != null) {
            TemplatedTarget.of(route, route.getRouteTemplateContext().getCamelContext());
            Resource file = files.get(String.valueOf(route.getRouteId()));
            if (file != null) {
                route.setResource(file); // its own file, not the template's
            }
        }
    }

    private static void complete(TemplatedRouteDefinition route, String name) {
        if (!NAMES.matcher(name).matches()) {
            throw new IllegalArgumentException("\"" + name + "\" is no name for a target: write up to 63 lower-case"
                    + " letters, digits, - and _ as the file's name, or as routeId after target-");
        }
        route.setRouteId(Lanes.ROUTE_PREFIX + name);
        if (route.getPrefixId() == null) {
            route.setPrefixId(name + "-");
        }
        for (TemplatedRouteParameterDefinition parameter : parametersOf(route)) {
            String value = parameter.getValue() == null ? "" : parameter.getValue();
            parameter.setValue(IN_JSON.matcher(value).replaceAll("$1 }"));
        }
        boolean isCompleted = parametersOf(route).stream()
                .anyMatch(parameter -> parameter.getName().equals(TEMPLATE));
        if (!isCompleted) {
            route.parameter(NAME, name);
            route.parameter(TEMPLATE, route.getRouteTemplateRef());
        }
    }

    private static List<TemplatedRouteParameterDefinition> parametersOf(TemplatedRouteDefinition route) {
        return route.getParameters() == null ? List.of() : route.getParameters();
    }

    private static String nameFrom(Resource resource) {
        var file = IN_TARGETS.matcher(resource == null || resource.getLocation() == null ? "" : resource.getLocation());
        return file.matches() ? file.group(1) : null;
    }
}
