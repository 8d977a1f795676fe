package dev.freshet.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RouteCountsTest {
    private final DefaultCamelContext context = new DefaultCamelContext();
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final List<String> failures = new ArrayList<>();
    private final RouteCounts counts =
            new RouteCounts(context, registry, (route, failure) -> failures.add(route + ": " + failure.getMessage()));
    private ProducerTemplate template;

    @BeforeEach
    void start() throws Exception {
        context.disableJMX();
        context.getCamelContextExtension().setName("counted");
        context.addLifecycleStrategy(counts);
        context.start();
        template = context.createProducerTemplate();
    }

    @AfterEach
    void stop() {
        context.stop();
    }

    @Test
    void each_route_that_an_exchange_passes_counts_it_with_its_result() throws Exception {
        add(route -> {
            route.from("direct:outer").routeId("outer").to("direct:inner");
            route.from("direct:inner").routeId("inner").process(exchange -> {
                if (exchange.getMessage().getBody().equals("bad")) {
                    throw new IllegalStateException("no");
                }
            });
        });
        template.sendBody("direct:outer", "good");
        assertThrows(CamelExecutionException.class, () -> template.sendBody("direct:outer", "bad"));
        for (String route : List.of("outer", "inner")) {
            assertEquals("2 1 0 0", numbers(route), route);
            assertNotNull(counts.of(route).lastAt());
        }
        assertEquals(List.of("inner: no", "outer: no"), failures);
        String tags = "{camelContext=\"counted\",eventType=\"route\",kind=\"CamelRoute\",routeId=\"inner\"} ";
        for (String line : List.of(
                "camel_exchanges_total" + tags + "2.0",
                "camel_exchanges_failed_total" + tags + "1.0",
                "camel_exchanges_succeeded_total" + tags + "1.0",
                "camel_exchanges_failures_handled_total" + tags + "0.0",
                "camel_route_policy_seconds_count" + tags + "2")) {
            assertTrue(registry.scrape().lines().anyMatch(line::equals), line + " in\n" + registry.scrape());
        }
        for (String name : List.of("camel_route_policy_seconds_sum" + tags, "camel_route_policy_seconds_max" + tags)) {
            assertTrue(registry.scrape().contains("\n" + name), name + " in\n" + registry.scrape());
        }
    }

    @Test
    void a_handled_failure_is_counted_as_handled_and_only_by_its_own_route() throws Exception {
        add(route -> {
            route.from("direct:careful")
                    .routeId("careful")
                    .onException(Exception.class)
                    .handled(true)
                    .to("direct:sorry")
                    .end()
                    .throwException(new IllegalStateException("handled"));
            route.from("direct:sorry").routeId("sorry").setBody().constant("sorry");
        });
        assertEquals("sorry", template.requestBody("direct:careful", "x"));
        assertEquals("1 0 1 0", numbers("careful"));
        assertEquals("1 0 0 0", numbers("sorry"));
        assertEquals(List.of("careful: handled"), failures);
    }

    @Test
    void an_exchange_under_way_is_counted_until_it_ends() throws Exception {
        add(route -> route.from("direct:long")
                .routeId("long")
                .process(exchange -> exchange.getMessage().setBody(numbers("long"))));
        assertEquals("0 0 0 1", template.requestBody("direct:long", "x"));
        assertEquals("1 0 0 0", numbers("long"));
        assertNull(counts.of("other"));
    }

    @Test
    void a_replaced_route_keeps_its_counts_and_a_removed_one_loses_them() throws Exception {
        add(route -> route.from("direct:edited").routeId("edited").log("before"));
        template.sendBody("direct:edited", "x");
        context.getRouteController().stopRoute("edited");
        context.removeRoute("edited");
        add(route -> route.from("direct:edited").routeId("edited").log("after"));
        template.sendBody("direct:edited", "x");
        assertEquals("2 0 0 0", numbers("edited"));
        counts.gone("edited", true);
        assertNull(counts.of("edited"));
        assertFalse(registry.scrape().contains("edited"), registry.scrape());
    }

    private interface Routes {
        void in(RouteBuilder builder);
    }

    private void add(Routes routes) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                routes.in(this);
            }
        });
    }

    /** Total, failed, handled, under way. */
    private String numbers(String route) {
        RouteCount count = counts.of(route);
        return count.total() + " " + count.failed() + " " + count.handled() + " " + count.inflight();
    }
}
