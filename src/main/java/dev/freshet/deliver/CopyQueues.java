package dev.freshet.deliver;

import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.DefaultConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each copy of an app a queue of its own, with as many parallel calls as its target has concurrency. All copies
 * share one route, and without this a copy that hangs would soon occupy all of the route's consumers.
 */
final class CopyQueues {
    private static final Logger LOG = LoggerFactory.getLogger(CopyQueues.class);

    private final Map<String, CopyQueue> queues = new ConcurrentHashMap<>();
    private final ExecutorService threads;
    private final CamelContext context;
    private final Lanes lanes;
    private final Consumer<Call> giveBack;

    CopyQueues(CamelContext context, Lanes lanes, Consumer<Call> giveBack) {
        this.context = context;
        this.lanes = lanes;
        this.giveBack = giveBack;
        this.threads = context.getExecutorServiceManager().newCachedThreadPool(this, "copies");
    }

    void add(String copy, List<Call> calls) {
        if (!queues.containsKey(copy)) {
            queues.values().removeIf(CopyQueue::isIdle); // addresses come and go
        }
        CopyQueue queue = queues.computeIfAbsent(copy, CopyQueue::new);
        queue.waiting.addAll(calls);
        queue.work();
    }

    /** The calls that wait for one copy, and how many are under way. */
    private final class CopyQueue {
        private final Queue<Call> waiting = new ConcurrentLinkedQueue<>();
        private final AtomicInteger underWay = new AtomicInteger();
        private final String copy;

        CopyQueue(String copy) {
            this.copy = copy;
        }

        private void work() {
            int most = lanes.concurrency(copy);
            for (int calls = waiting.size(); calls > 0 && mayBegin(most); calls--) {
                try {
                    threads.execute(this::makeCalls);
                } catch (RejectedExecutionException stopped) {
                    underWay.decrementAndGet(); // the lane hands back what waits
                }
            }
        }

        private boolean isIdle() {
            return underWay.get() == 0 && waiting.isEmpty();
        }

        private boolean mayBegin(int most) {
            return underWay.getAndUpdate(now -> now < most ? now + 1 : now) < most;
        }

        private void makeCalls() {
            try {
                for (Call call = waiting.poll(); call != null; call = waiting.poll()) {
                    make(call);
                }
            } finally {
                underWay.decrementAndGet();
            }
            if (!waiting.isEmpty()) { // added while this thread was about to end
                work();
            }
        }
    }

    /** Does what a consumer of the route's queue would do. */
    private void make(Call call) {
        String id = Lanes.ROUTE_PREFIX + Copy.targetOf(call.getTarget());
        Route route = context.getRoute(id);
        if (route == null || !context.getRouteController().getRouteStatus(id).isStarted()) {
            giveBack(call);
            return;
        }
        DefaultConsumer entrance = (DefaultConsumer) route.getConsumer();
        Exchange exchange = entrance.createExchange(false);
        try {
            exchange.getMessage().setBody(call);
            entrance.getProcessor().process(exchange);
            if (exchange.getException() instanceof RejectedExecutionException) {
                giveBack(call); // the route was stopped at this moment
            } else if (exchange.getException() != null) {
                LOG.warn("Route {} failed: {}", id, exchange.getException().toString());
            }
        } catch (Exception e) {
            LOG.warn("Route {} failed: {}", id, e.toString());
        } finally {
            entrance.releaseExchange(exchange, false);
        }
    }

    private void giveBack(Call woken) {
        Call next = lanes.next(woken, giveBack);
        if (next != null) {
            giveBack.accept(next);
        }
    }
}
