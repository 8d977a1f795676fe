package dev.freshet.testing;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Expression;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.AggregateDefinition;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RedeliveryPolicyDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.model.WireTapDefinition;
import org.apache.camel.model.language.ExpressionDefinition;
import org.apache.camel.model.rest.RestDefinition;
import org.apache.camel.model.rest.VerbDefinition;
import org.apache.camel.support.ExpressionAdapter;

/**
 * Makes each route begin where a test can send to it, and removes all waiting: no clock, no queue, no thread other than
 * the test's.
 */
final class Entrances implements RouteBuilderLifecycleStrategy {
    /** The executor that wire taps get. */
    static final String AT_ONCE = "atOnce";

    /** A day: an aggregation completes by its size, or at the end. */
    private static final String NEVER = "86400000";

    /** The endpoint of the target that a test makes from a template. */
    private static final String TARGET = "direct:target-cdn";

    private static final Pattern WAKE = Pattern.compile("seda:(?=.*\\bsize=1\\b)(?=.*\\bdiscardWhenFull=true\\b).*");
    private static final Pattern PLATFORM = Pattern.compile("platform-http:(.*)\\?httpMethodRestrict=(\\w+)");

    private final Journal journal;
    private final Set<String> own = new HashSet<>();
    private final Map<String, String> sendTo = new TreeMap<>();
    private final Map<String, String> from = new TreeMap<>();
    private final Map<String, String> autoStartup = new TreeMap<>();
    private final Map<String, List<Duration>> waits = new TreeMap<>();

    Entrances(Journal journal) {
        this.journal = journal;
    }

    @Override
    public void afterConfigure(RouteBuilder builder) {
        builder.getRouteCollection().getRoutes().forEach(this::enter);
        for (RouteTemplateDefinition template :
                builder.getRouteTemplateCollection().getRouteTemplates()) {
            String uri = template.getRoute().getInput().getEndpointUri().replace("{{name}}", "cdn");
            sendTo.put(name(uri), TARGET);
            own.add("direct://target-cdn");
            template.getRoute().getInput().setUri(TARGET);
        }
        builder.getRestCollection().getRests().forEach(this::read);
        builder.getRestCollection().getRests().clear(); // they would open a port
    }

    private void enter(RouteDefinition route) {
        String uri = route.getInput().getEndpointUri();
        from.put(route.getRouteId(), uri);
        autoStartup.put(route.getRouteId(), route.getAutoStartup());
        String entrance = uri.startsWith("direct:") ? uri : "direct:" + route.getRouteId();
        sendTo.put(uri.startsWith("direct:") || uri.startsWith("seda:") ? name(uri) : route.getRouteId(), entrance);
        Matcher platform = PLATFORM.matcher(uri);
        if (platform.matches()) {
            sendTo.put(platform.group(2) + ' ' + platform.group(1), entrance);
        }
        own.add(entrance.replace(":", "://"));
        route.getInput().setUri(entrance);
        route.setAutoStartup("true");
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), WireTapDefinition.class)
                .forEach(tap -> tap.setExecutorService(AT_ONCE));
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), AggregateDefinition.class)
                .forEach(aggregate -> {
                    aggregate.setCompletionTimeout(NEVER);
                    aggregate.setExecutorService(AT_ONCE);
                });
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), DelayDefinition.class)
                .forEach(
                        delay -> delay.setExpression(noted(delay.getExpression().getExpression())));
    }

    private ExpressionDefinition noted(String delay) {
        Expression noDelay = new ExpressionAdapter() {
            @Override
            public Object evaluate(Exchange exchange) {
                journal.add("delay " + delay);
                return 0;
            }
        };
        return new ExpressionDefinition(noDelay);
    }

    private void read(RestDefinition rest) {
        for (VerbDefinition verb : rest.getVerbs()) {
            String path = ((rest.getPath() == null ? "" : rest.getPath()) + '/' + verb.getPath()).replaceAll("/+", "/");
            sendTo.put(
                    verb.asVerb().toUpperCase(Locale.ROOT) + ' ' + path,
                    verb.getTo().getUri());
        }
    }

    /** Makes a policy try again without a delay. */
    void hurry(OnExceptionDefinition policy) {
        RedeliveryPolicyDefinition again = policy.getRedeliveryPolicyType();
        if (again.getRedeliveryDelay() != null) {
            boolean growing = Boolean.parseBoolean(again.getUseExponentialBackOff());
            double factor = growing ? Double.parseDouble(again.getBackOffMultiplier()) : 1;
            waits.put(
                    policy.getId(),
                    Stream.iterate(Double.valueOf(again.getRedeliveryDelay()), wait -> wait * factor)
                            .limit(Integer.parseInt(again.getMaximumRedeliveries()))
                            .map(wait -> Duration.ofMillis(wait.longValue()))
                            .toList());
            again.setRedeliveryDelay("0");
        }
    }

    /**
     * An endpoint without its options, such as {@code direct:take-turn}; {@code wake seda:offer} if a second message
     * would be as good as the first.
     */
    static String name(String uri) {
        String name = uri.replaceFirst("://", ":").replace("%20", " ");
        return (WAKE.matcher(uri).matches() ? "wake " : "")
                + (name.startsWith("bean:") ? name : name.replaceFirst("\\?.*", ""));
    }

    boolean isOwn(String uri) {
        return own.contains(uri);
    }

    /** @param where an endpoint, a request, or the id of a route that a timer starts */
    String of(String where) {
        return known(sendTo, where);
    }

    String from(String route) {
        return known(from, route);
    }

    String autoStartup(String route) {
        return known(autoStartup, route);
    }

    List<Duration> waits(String onException) {
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
