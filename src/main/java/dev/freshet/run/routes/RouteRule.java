package dev.freshet.run.routes;

import org.apache.camel.CamelContext;
import org.apache.camel.model.RouteDefinition;

/** What a route must agree with beyond what Camel asks; found in the registry of the running context. */
public interface RouteRule {
    /**
     * @param context the trial's, with the beans of the files that are tried
     * @throws IllegalArgumentException what is wrong with it, and what to write
     */
    void check(RouteDefinition route, CamelContext context);
}
