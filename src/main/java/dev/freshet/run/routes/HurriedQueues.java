package dev.freshet.run.routes;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.component.seda.BlockingQueueFactory;

/**
 * The queues between routes. A reader of a queue usually checks once a second whether it has to stop, and Camel stops
 * one reader after the other: ten seconds in all, with nothing left to do. So this class wakes the readers when
 * something stops, and lets them check continually until it has stopped. And because readers are woken, they can check
 * less often at other times: the checks of forty readers were a fifth of the load of an idle instance.
 */
public final class HurriedQueues implements BlockingQueueFactory<Exchange> {
    /** How long a reader waits unless it is woken: the longest wait when a single route is stopped (camel-cli, JMX). */
    private static final long REST_MILLIS = 10_000;

    private static final long GLANCE_MILLIS = 20;
    /** A stop that takes longer waits for something other than a reader. */
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
                Thread.interrupted(); // the interrupt may have come after the wait
            } else if (interruption != null) {
                throw interruption;
            }
            return found;
        }
    }
}
