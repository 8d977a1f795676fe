package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AnnouncementTest {
    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Announcement announcement = new Announcement(context, "seda:heard");
    private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();

    @BeforeEach
    void open() {
        context.start();
    }

    @AfterEach
    void close() throws Exception {
        context.close();
    }

    @Test
    void a_route_hears_what_is_told_while_it_is_there_also_after_an_edit() throws Exception {
        announcement.tell("nobody is there");
        for (String edit : List.of("seda:heard", "seda:heard?concurrentConsumers=2")) {
            route(edit, this::hear);
            announcement.tell("told to " + edit);
            assertEquals("told to " + edit, heard.poll(30, TimeUnit.SECONDS));
            context.getRouteController().stopRoute("heard");
            context.removeRoute("heard");
            announcement.tell("it has been deleted");
        }
        assertEquals(0, heard.size());
    }

    @Test
    void a_route_that_hangs_holds_up_nobody_and_only_so_much_waits_for_it() throws Exception {
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        route("seda:heard", exchange -> {
            hangs.countDown();
            ends.await();
            hear(exchange);
        });
        announcement.tell(0);
        hangs.await();
        for (int i = 1; i <= 500; i++) {
            announcement.tell(i);
        }
        assertEquals(100, queue().size());
        ends.countDown();
        for (int i = 0; i <= 100; i++) {
            assertEquals(i, heard.poll(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void whoever_tells_does_not_fail_when_there_can_be_no_such_queue() {
        new Announcement(context, "no-such-component:heard").tell("nothing");
    }

    private BlockingQueue<Exchange> queue() {
        return context.getEndpoint("seda:heard", SedaEndpoint.class).getQueue();
    }

    private void hear(Exchange exchange) {
        heard.add(exchange.getMessage().getBody());
    }

    private void route(String from, Processor does) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from(from).routeId("heard").process(does);
            }
        });
    }
}
