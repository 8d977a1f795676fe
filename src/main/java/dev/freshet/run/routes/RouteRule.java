package dev.freshet.run.routes;

import org.apache.camel.CamelContext;
import org.apache.camel.model.RouteDefinition;

/** A condition on routes beyond those of Camel. Rules are found in the registry of the running context. */
public interface RouteRule {
    /**
     * @param context the trial's context, with the beans of the files that are tried
     * @throws IllegalArgumentException says what is wrong with the route, and what to write instead
     */
    void check(RouteDefinition route, CamelContext context);
}
