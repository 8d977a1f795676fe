package dev.freshet.deliver;

import dev.freshet.settings.Addresses;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.model.RouteTemplateParameterDefinition;

/** What the parameters of a templated route say of its target; one that makes no sense is refused by name. */
final class TemplatedTarget {
    /** A provider's limits by its plans are parameters of its template: limits-free, limits-pro … */
    private static final String LIMITS_OF_PLAN = "limits-";
    /** Of any provider's own, whose limits are its callers' business. */
    private static final String GENERIC = "freshet-target";

    /** Of any template: which target is told first. */
    private static final String AFTER = "after";

    private static final String ONE_OF = "one of: ";
    private static final Pattern ADDRESS = Pattern.compile("(https?|rediss?)://[^/?#\\s,]+(/[^?#\\s,]*[^/?#\\s,])?");

    private final CamelContext context;
    private final Map<String, Object> parameters;
    private final String template;
    private final List<RouteTemplateParameterDefinition> declared;

    private TemplatedTarget(RouteDefinition route, CamelContext context, String template) {
        this.context = context;
        this.parameters = route.getRouteTemplateContext().getParameters();
        this.template = template;
        RouteTemplateDefinition definition =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteTemplateDefinition(template);
        this.declared = definition == null || definition.getTemplateParameters() == null
                ? List.of()
                : definition.getTemplateParameters();
    }

    /** @return null for a route that is made of no template, or not as a target, or that has a bean in the long form */
    static Target of(RouteDefinition route, CamelContext context) {
        if (route == null || route.getRouteTemplateContext() == null) {
            return null;
        }
        Object template = route.getRouteTemplateContext().getParameters().get(TargetFiles.TEMPLATE);
        Object name = route.getRouteTemplateContext().getParameters().get(TargetFiles.NAME);
        boolean hasBean = context.getRegistry().findByType(Target.class).stream()
                .anyMatch(target -> String.valueOf(name).equals(target.getName()));
        return template == null || hasBean ? null : new TemplatedTarget(route, context, template.toString()).read();
    }

    private Target read() {
        refuseUnknown();
        declared.forEach(this::refuseOtherThanOneOf);
        refuseNoAddress();
        Target target = new Target();
        target.setName(text(TargetFiles.NAME));
        target.setAddress(text("address"));
        if (says("fanout")) {
            target.setFanout(text("fanout"));
        }
        if (says("batch")) {
            target.setBatch(number("batch"));
            refuseMoreThanTheProviderTakes(target.getBatch());
        }
        if (says("concurrency")) {
            target.setConcurrency(number("concurrency"));
        }
        if (says("rate") && !says("limits")) {
            target.setSharedRate(number("rate"));
        } else {
            target.setLimits(limits());
        }
        if (text("mode").equals("purge") && target.getBatch() > 1) {
            throw new IllegalArgumentException("batch is " + target.getBatch() + " and mode is purge, which takes a"
                    + " page at a time: write batch 1");
        }
        if (template.equals(GENERIC)) {
            PlainCall.check(text("path"), text("headers"), text("body"), target.getBatch());
        }
        target.setAfter(text(AFTER));
        target.setBudget(says("budget") ? text("budget") : target.getName());
        return target;
    }

    private void refuseUnknown() {
        TreeSet<String> known = new TreeSet<>();
        declared.forEach(parameter -> known.add(parameter.getName()));
        for (String name : parameters.keySet()) {
            boolean isOurs = name.equals(TargetFiles.NAME) || name.equals(TargetFiles.TEMPLATE) || name.equals(AFTER);
            if (!isOurs && !known.contains(name)) {
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

    /** A description that begins with "one of:" says all that there is. */
    private void refuseOtherThanOneOf(RouteTemplateParameterDefinition parameter) {
        String description = parameter.getDescription() == null ? "" : parameter.getDescription();
        if (description.startsWith(ONE_OF)) {
            List<String> values = List.of(
                    description.substring(ONE_OF.length()).split(";")[0].strip().split(", "));
            if (!values.contains(text(parameter.getName()))) {
                throw new IllegalArgumentException(parameter.getName() + " is " + text(parameter.getName())
                        + ": write one of " + String.join(", ", values));
            }
        }
    }

    private void refuseNoAddress() {
        if (says("address")) {
            try {
                Addresses.normal(text("address"), this::checkedAddress);
            } catch (IllegalArgumentException e) {
                // no cause: the last of them is what is told
                throw new IllegalArgumentException("address is " + text("address") + ": " + e.getMessage());
            }
        }
    }

    private String checkedAddress(String address) {
        if (!ADDRESS.matcher(address).matches() || address.startsWith("redis") != template.equals("redis")) {
            throw new IllegalArgumentException("write "
                    + (template.equals("redis")
                            ? "redis://host:6379"
                            : "http://host or https://host, with a path where there is one")
                    + ", without / or ? at the end");
        }
        return address;
    }

    private void refuseMoreThanTheProviderTakes(int batch) {
        String most = defaultOf("batch");
        if (!template.equals(GENERIC) && !most.isBlank() && batch > Integer.parseInt(most)) {
            throw new IllegalArgumentException(
                    "batch is " + batch + ": " + template + " takes " + most + " tags in a call, write that or less");
        }
    }

    private String limits() {
        if (says("limits")) {
            return text("limits");
        }
        TreeSet<String> plans = new TreeSet<>();
        declared.stream()
                .map(RouteTemplateParameterDefinition::getName)
                .filter(name -> name.startsWith(LIMITS_OF_PLAN))
                .forEach(name -> plans.add(name.substring(LIMITS_OF_PLAN.length())));
        if (plans.isEmpty()) {
            return "none";
        }
        if (!plans.contains(text("plan"))) {
            throw new IllegalArgumentException("plan is " + text("plan") + ": write one of " + template + "'s, "
                    + String.join(", ", plans) + ", or what you have agreed upon as limits");
        }
        return text(LIMITS_OF_PLAN + text("plan"));
    }

    private boolean says(String name) {
        return !text(name).isBlank();
    }

    private int number(String name) {
        try {
            return Integer.parseInt(text(name).strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " is \"" + text(name) + "\": write a whole number", e);
        }
    }

    private String text(String name) {
        Object value = parameters.get(name);
        return value == null ? "" : context.resolvePropertyPlaceholders(value.toString());
    }

    private String defaultOf(String name) {
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
