package dev.freshet.deliver;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.model.RouteTemplateParameterDefinition;

/** The values that a templated route gives for its template's parameters. */
final class TemplateParameters {
    private final CamelContext context;
    private final String template;
    private final Map<String, Object> values;
    private final List<RouteTemplateParameterDefinition> declared;

    private TemplateParameters(
            CamelContext context,
            String template,
            Map<String, Object> values,
            List<RouteTemplateParameterDefinition> declared) {
        this.context = context;
        this.template = template;
        this.values = values;
        this.declared = declared;
    }

    static TemplateParameters of(RouteDefinition route, CamelContext context, String template) {
        RouteTemplateDefinition definition =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteTemplateDefinition(template);
        List<RouteTemplateParameterDefinition> declared =
                definition == null ? null : definition.getTemplateParameters();
        return new TemplateParameters(
                context,
                template,
                route.getRouteTemplateContext().getParameters(),
                declared == null ? List.of() : declared);
    }

    List<RouteTemplateParameterDefinition> declared() {
        return declared;
    }

    /** @param ofAny parameters that any template takes */
    void refuseUnknown(Set<String> ofAny) {
        TreeSet<String> known = new TreeSet<>();
        declared.forEach(parameter -> known.add(parameter.getName()));
        for (String name : values.keySet()) {
            if (!ofAny.contains(name) && !known.contains(name)) {
                throw new IllegalArgumentException(
                        name + " is no parameter of " + template + ": write " + String.join(", ", known));
            }
            if (text(name).isBlank() && !defaultOf(name).isBlank()) {
                throw new IllegalArgumentException(name + " is empty: write its value, or leave the line out");
            }
            if (text(name).isBlank() && isRequired(name)) {
                throw new IllegalArgumentException(name + " is empty, and " + template + " needs it");
            }
        }
    }

    boolean says(String name) {
        return !text(name).isBlank();
    }

    int number(String name) {
        try {
            return Integer.parseInt(text(name).strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " is \"" + text(name) + "\": write a whole number", e);
        }
    }

    String text(String name) {
        Object value = values.get(name);
        return value == null ? "" : context.resolvePropertyPlaceholders(value.toString());
    }

    String defaultOf(String name) {
        return declared.stream()
                .filter(parameter -> parameter.getName().equals(name))
                .map(RouteTemplateParameterDefinition::getDefaultValue)
                .filter(value -> value != null)
                .findFirst()
                .orElse("");
    }

    private boolean isRequired(String name) {
        return declared.stream()
                .anyMatch(parameter -> parameter.getName().equals(name)
                        && parameter.isRequired()
                        && parameter.getDefaultValue() == null);
    }
}
