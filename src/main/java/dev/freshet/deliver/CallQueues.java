package dev.freshet.deliver;

import dev.freshet.deliver.replica.Replicas;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.DefaultExchange;

/**
 * Puts each call of the body into the queue of its target, {@code seda:target-NAME}, as soon as the read replicas have
 * replayed what it covers. A split with a dynamic endpoint would do the same, but copies each exchange three times on
 * the way (docs/decisions.md has the figures). Copies of an app have queues of their own.
 */
public final class CallQueues implements Processor {
    private final CamelContext context;
    private final Lanes lanes;
    private final Replicas replicas;
    private Consumer<Call> giveBack;
    private CopyQueues copies;

    public CallQueues(CamelContext context, Lanes lanes, Replicas replicas) {
        this.context = context;
        this.lanes = lanes;
        this.replicas = replicas;
    }

    /** A setter, because the outcomes of calls are created after this object. */
    public void setOutcomes(Outcomes outcomes) {
        giveBackTo(outcomes::giveBack);
    }

    /** @param giveBack takes calls that are not made, whose deliveries are due again at once */
    void giveBackTo(Consumer<Call> giveBack) {
        this.giveBack = giveBack;
        copies = new CopyQueues(context, lanes, giveBack);
    }

    @Override
    public void process(Exchange exchange) {
        List<Call> calls = new ArrayList<>();
        for (Object call : exchange.getMessage().getBody(List.class)) {
            calls.add((Call) call);
        }
        add(calls);
    }

    /** @param calls all to the same target */
    public void add(List<Call> calls) {
        if (!calls.isEmpty()) {
            long position = calls.stream().mapToLong(Call::position).max().orElse(0);
            replicas.whenReplayed(position, () -> put(calls));
        }
    }

    private void put(List<Call> calls) {
        String target = calls.get(0).getTarget();
        if (lanes.permits().isOnHold(target)) {
            calls.forEach(giveBack); // the route's queue may end with the route that is replaced
            return;
        }
        calls.forEach(lanes::waitFor);
        if (Copy.isCopy(target)) {
            copies.add(target, calls);
            return;
        }
        SedaEndpoint entrance = context.getEndpoint("seda:" + Lanes.ROUTE_PREFIX + target, SedaEndpoint.class);
        BlockingQueue<Exchange> queue = entrance.getQueue();
        for (Call call : calls) {
            Exchange next = DefaultExchange.newFromEndpoint(entrance);
            next.getMessage().setBody(call);
            queue.add(next); // never full: the queue's capacity is larger than what a lane may hold
        }
    }
}
