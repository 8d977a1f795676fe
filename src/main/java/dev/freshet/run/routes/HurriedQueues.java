package dev.freshet.run.routes;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.component.seda.BlockingQueueFactory;

/**
 * The queues between routes. Who reads one looks up once a second whether it is to stop, and Camel stops one after the
 * other: ten seconds in all, where nothing was left to do. So readers are woken when something stops, and look up all
 * the time until it has. And since they are woken, they need not look up so often: forty of them do, which was a fifth
 * of what an instance at rest takes.
 */
public final class HurriedQueues implements BlockingQueueFactory<Exchange> {
    /** Without being woken: whoever stops a route by itself (camel-cli, JMX) waits no longer for its reader. */
    private static final long REST_MILLIS = 10_000;

    private static final long GLANCE_MILLIS = 20;
    /** What takes longer waits for something else. */
    private static final long HURRY_NANOS = 3_000_000_000L;

    private static final long LONG_GLANCE_MILLIS = 250;

    private final Set<Thread> waiting = new HashSet<>();
    private final Set<Thread> woken = new HashSet<>();
    private int hurries;
    private volatile long hurriedAt;

    public synchronized void hurry() {
        hurries++;
        hurriedAt = System.nanoTime();
        waiting.forEach(Thread::interrupt);
        woken.addAll(waiting);
        waiting.clear();
    }

    public synchronized void calm() {
        hurries--;
    }

    @Override
    public BlockingQueue<Exchange> create() {
        return create(Integer.MAX_VALUE);
    }

    @Override
    public BlockingQueue<Exchange> create(int capacity) {
        return new Queue(capacity);
    }

    private synchronized boolean mayWait() {
        return hurries == 0 && waiting.add(Thread.currentThread());
    }

    private synchronized boolean wasWoken() {
        waiting.remove(Thread.currentThread());
        return woken.remove(Thread.currentThread());
    }

    private final class Queue extends LinkedBlockingQueue<Exchange> {
        private static final long serialVersionUID = 1;

        Queue(int capacity) {
            super(capacity);
        }

        @Override
        public Exchange poll(long timeout, TimeUnit unit) throws InterruptedException {
            if (!mayWait()) {
                long glance = System.nanoTime() - hurriedAt < HURRY_NANOS ? GLANCE_MILLIS : LONG_GLANCE_MILLIS;
                return super.poll(Math.min(unit.toMillis(timeout), glance), TimeUnit.MILLISECONDS);
            }
            Exchange found = null;
            InterruptedException interruption = null;
            try {
                found = super.poll(Math.max(unit.toMillis(timeout), REST_MILLIS), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                interruption = e;
            }
            if (wasWoken()) {
                Thread.interrupted(); // it may have come too late for the wait
            } else if (interruption != null) {
                throw interruption;
            }
            return found;
        }
    }
}
