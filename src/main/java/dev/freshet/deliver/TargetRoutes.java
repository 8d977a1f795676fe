package dev.freshet.deliver;

import dev.freshet.run.routes.RouteRule;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * Concurrency is stated once, in the target's bean. Its route gets as many consumers; if the route repeats such a
 * number, it must match the bean's.
 */
public final class TargetRoutes extends LifecycleStrategySupport implements RouteRule {
    private static final Pattern CONSUMERS = Pattern.compile("[?&]concurrentConsumers=([^&]*)");
    private static final Pattern ONE_TAG = Pattern.compile("asTagOrTags\\(\\s*([^)]+?)\\s*\\)");

    /** The route has been created, and its consumers have not. */
    @Override
    public void onRouteContextCreate(Route route) {
        if (!route.getRouteId().startsWith(Lanes.ROUTE_PREFIX)
                || !(route.getEndpoint() instanceof SedaEndpoint entrance)) {
            return;
        }
        CamelContext context = route.getCamelContext();
        Target target = TargetOfRoute.of(route, context.getRegistry());
        RouteDefinition definition =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinition(route.getRouteId());
        Integer own = definition == null ? null : consumers(definition, context);
        if (definition != null) {
            check(definition, context);
        }
        if (own != null && !target.saysConcurrency()) {
            target.setConcurrency(own);
        }
        entrance.setConcurrentConsumers(target.getConcurrency());
    }

    @Override
    public void check(RouteDefinition route, CamelContext context) {
        if (route.getRouteId() == null || !route.getRouteId().startsWith(Lanes.ROUTE_PREFIX)) {
            return;
        }
        if (TemplatedTarget.of(route, context) != null) {
            return; // the parameters were read, and the numbers are stated nowhere else
        }
        Target target = TargetOfRoute.of(route.getRouteId(), context.getRegistry());
        Integer consumers = consumers(route, context);
        if (consumers != null && target.saysConcurrency() && consumers != target.getConcurrency()) {
            throw new IllegalArgumentException(route.getRouteId() + " has concurrentConsumers: " + consumers
                    + " and its bean concurrency: " + target.getConcurrency()
                    + ": leave concurrentConsumers out, the bean's number is the one that counts");
        }
        Collection<ExpressionNode> steps =
                ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), ExpressionNode.class);
        if (target.hasCopies() && steps.stream().noneMatch(TargetRoutes::saysAddress)) {
            throw new IllegalArgumentException(route.getRouteId() + " has a list of addresses (or fanout: dns) in its"
                    + " bean, and no step that sends to ${variable.address}: set the header CamelHttpUri to it, as"
                    + " routes/targets/tag.camel.yaml does, or one address would get all calls");
        }
        for (ExpressionNode step : steps) {
            checkBody(route.getRouteId(), target, step, context);
        }
    }

    private static boolean saysAddress(ExpressionNode step) {
        return step.getExpression() != null
                && String.valueOf(step.getExpression().getExpression()).contains("variable.address");
    }

    private static void checkBody(String route, Target target, ExpressionNode step, CamelContext context) {
        String expression =
                step.getExpression() == null ? null : step.getExpression().getExpression();
        Matcher call = ONE_TAG.matcher(expression == null ? "" : context.resolvePropertyPlaceholders(expression));
        while (call.find()) {
            if (call.group(1).equals("1") && target.getBatch() > 1) {
                throw new IllegalArgumentException(route + " sends asTagOrTags(1), one tag, and its bean says batch: "
                        + target.getBatch() + ", so that the others would be lost: write asTagOrTags() in the route,"
                        + " or batch: 1");
            }
        }
    }

    /** The number that the route itself states, or null. */
    private static Integer consumers(RouteDefinition route, CamelContext context) {
        Matcher said = CONSUMERS.matcher(
                context.resolvePropertyPlaceholders(route.getInput().getEndpointUri()));
        return said.find() ? Integer.valueOf(said.group(1).trim()) : null;
    }
}
