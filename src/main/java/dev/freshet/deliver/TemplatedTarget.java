package dev.freshet.deliver;

import dev.freshet.settings.Addresses;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateParameterDefinition;

/** The target that the parameters of a templated route describe. Invalid parameters are refused by name. */
final class TemplatedTarget {
    /** Prefix of template parameters that hold a provider's limits by plan: limits-free, limits-pro … */
    private static final String LIMITS_OF_PLAN = "limits-";
    /** The template for any other provider. It has no limits of its own: those are up to the user. */
    private static final String GENERIC = "freshet-target";

    /** A parameter of every template: the target that is told first. */
    private static final String AFTER = "after";

    private static final String ONE_OF = "one of: ";
    private static final Pattern ADDRESS = Pattern.compile("(https?|rediss?)://[^/?#\\s,]+(/[^?#\\s,]*[^/?#\\s,])?");

    private final String template;
    private final TemplateParameters parameters;

    private TemplatedTarget(String template, TemplateParameters parameters) {
        this.template = template;
        this.parameters = parameters;
    }

    /** @return null for a route that is not from a template, is not a target, or has a bean in the long form */
    static Target of(RouteDefinition route, CamelContext context) {
        if (route == null || route.getRouteTemplateContext() == null) {
            return null;
        }
        Object template = route.getRouteTemplateContext().getParameters().get(TargetFiles.TEMPLATE);
        Object name = route.getRouteTemplateContext().getParameters().get(TargetFiles.NAME);
        boolean hasBean = context.getRegistry().findByType(Target.class).stream()
                .anyMatch(target -> String.valueOf(name).equals(target.getName()));
        return template == null || hasBean
                ? null
                : new TemplatedTarget(template.toString(), TemplateParameters.of(route, context, template.toString()))
                        .read();
    }

    private Target read() {
        parameters.refuseUnknown(Set.of(TargetFiles.NAME, TargetFiles.TEMPLATE, AFTER));
        parameters.declared().forEach(this::refuseOtherThanOneOf);
        refuseNoAddress();
        Target target = new Target();
        target.setName(parameters.text(TargetFiles.NAME));
        target.setAddress(parameters.text("address"));
        if (parameters.says("fanout")) {
            target.setFanout(parameters.text("fanout"));
        }
        if (parameters.says("batch")) {
            target.setBatch(parameters.number("batch"));
            refuseMoreThanTheProviderTakes(target.getBatch());
        }
        if (parameters.says("concurrency")) {
            target.setConcurrency(parameters.number("concurrency"));
        }
        if (parameters.says("rate") && !parameters.says("limits")) {
            target.setSharedRate(parameters.number("rate"));
        } else {
            target.setLimits(limits());
        }
        if (parameters.text("mode").equals("purge") && target.getBatch() > 1) {
            throw new IllegalArgumentException("batch is " + target.getBatch() + " and mode is purge, which takes a"
                    + " page at a time: write batch 1");
        }
        if (template.equals(GENERIC)) {
            PlainCall.check(
                    parameters.text("path"), parameters.text("headers"), parameters.text("body"), target.getBatch());
        }
        target.setAfter(parameters.text(AFTER));
        target.setBudget(parameters.says("budget") ? parameters.text("budget") : target.getName());
        return target;
    }

    /** A parameter's description that starts with "one of:" lists all permitted values. */
    private void refuseOtherThanOneOf(RouteTemplateParameterDefinition parameter) {
        String description = parameter.getDescription() == null ? "" : parameter.getDescription();
        if (description.startsWith(ONE_OF)) {
            List<String> values = List.of(
                    description.substring(ONE_OF.length()).split(";")[0].strip().split(", "));
            if (!values.contains(parameters.text(parameter.getName()))) {
                throw new IllegalArgumentException(parameter.getName() + " is " + parameters.text(parameter.getName())
                        + ": write one of " + String.join(", ", values));
            }
        }
    }

    private void refuseNoAddress() {
        if (parameters.says("address")) {
            try {
                Addresses.normal(parameters.text("address"), this::checkedAddress);
            } catch (IllegalArgumentException e) {
                // without a cause: only the innermost message is reported
                throw new IllegalArgumentException("address is " + parameters.text("address") + ": " + e.getMessage());
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
        String most = parameters.defaultOf("batch");
        if (!template.equals(GENERIC) && !most.isBlank() && batch > Integer.parseInt(most)) {
            throw new IllegalArgumentException(
                    "batch is " + batch + ": " + template + " takes " + most + " tags in a call, write that or less");
        }
    }

    private String limits() {
        if (parameters.says("limits")) {
            return parameters.text("limits");
        }
        TreeSet<String> plans = new TreeSet<>();
        parameters.declared().stream()
                .map(RouteTemplateParameterDefinition::getName)
                .filter(name -> name.startsWith(LIMITS_OF_PLAN))
                .forEach(name -> plans.add(name.substring(LIMITS_OF_PLAN.length())));
        if (plans.isEmpty()) {
            return "none";
        }
        if (!plans.contains(parameters.text("plan"))) {
            throw new IllegalArgumentException("plan is " + parameters.text("plan") + ": write one of " + template
                    + "'s, " + String.join(", ", plans) + ", or what you have agreed upon as limits");
        }
        return parameters.text(LIMITS_OF_PLAN + parameters.text("plan"));
    }
}
