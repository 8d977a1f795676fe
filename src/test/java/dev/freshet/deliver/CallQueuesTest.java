package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.freshet.database.Transactions;
import dev.freshet.deliver.policy.Policy;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.testing.UsualTerms;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How calls get to the queue of their target's route. */
class CallQueuesTest {
    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Lanes lanes = new Lanes(new Transactions(null), UsualTerms.TERMS);
    private final CallQueues queues = new CallQueues(context, lanes, Replicas.NONE);
    private final List<Call> givenBack = new ArrayList<>();

    @BeforeEach
    void open() {
        Target target = new Target();
        target.setName("x");
        lanes.serve(target);
        queues.giveBackTo(givenBack::add);
        context.start();
    }

    @AfterEach
    void close() throws Exception {
        context.close();
    }

    @Test
    void a_call_waits_in_the_queue_of_its_targets_route() {
        Call call = call();
        queues.add(List.of(call));
        Exchange woken = context.getEndpoint("seda:target-x", SedaEndpoint.class)
                .getQueue()
                .poll();
        assertSame(call, lanes.next(woken.getMessage().getBody(Call.class), givenBack::add));
        assertEquals(List.of(), givenBack);
    }

    @Test
    void a_call_that_was_claimed_before_its_route_is_replaced_is_given_back() {
        Call claimedBefore = call();
        lanes.hold("target-x");
        queues.add(List.of(claimedBefore));
        assertEquals(List.of(claimedBefore), givenBack);
        lanes.resume("target-x");
        Call later = call();
        queues.add(List.of(later));
        assertSame(later, lanes.next(later, givenBack::add), "nothing of the former queue stands before it");
    }

    private static Call call() {
        return Call.of(
                List.of(new Delivery("x", "tag", 1, 1, "lease", 1, 1, 0, 0, Long.MAX_VALUE, false, Policy.NONE)));
    }
}
