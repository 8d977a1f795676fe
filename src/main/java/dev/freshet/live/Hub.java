package dev.freshet.live;

import dev.freshet.observe.LiveMeters;
import dev.freshet.run.stop.StopsFirst;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams that are open here, by event: what an event costs depends on its own subscribers. Each event loop takes
 * what has gathered for its connections, in the order of publication, and writes it into bytes once for all of them.
 */
public final class Hub implements StopsFirst {
    /**
     * Who watches one event on one event loop. The set is only touched by that loop; what waits for it, under the hub's
     * lock.
     */
    private static final class Bench {
        final Set<Subscriber> all = new LinkedHashSet<>();
        List<LiveEvent> waiting = new ArrayList<>();
    }

    private static final class Room {
        final Map<EventLoop, Bench> byLoop = new ConcurrentHashMap<>();
        int size;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final long PATIENCE_SECONDS = 3;

    private final Map<String, Room> rooms = new ConcurrentHashMap<>();
    private final LiveMeters meters;
    private volatile long position;
    private volatile boolean stopped;
    private volatile long telling;

    public Hub(LiveMeters meters) {
        this.meters = meters;
        meters.subscribers(this::subscribers);
    }

    void begin(long at) {
        position = at;
    }

    /** Up to here everything has been handed to the streams. */
    long position() {
        return position;
    }

    /** In order, and without a gap after what came before. */
    synchronized void publish(List<LiveEvent> events) {
        Map<String, List<LiveEvent>> byEvent = new LinkedHashMap<>();
        events.stream()
                .filter(event -> rooms.containsKey(event.eid()))
                .forEach(event -> byEvent.computeIfAbsent(event.eid(), eid -> new ArrayList<>())
                        .add(event));
        byEvent.forEach((eid, its) -> rooms.get(eid).byLoop.forEach((loop, bench) -> {
            // a loop that is behind takes all that has gathered at once: one write per stream, however many events
            if (bench.waiting.isEmpty()) {
                loop.execute(() -> tell(bench));
            }
            bench.waiting.addAll(its);
        }));
        position = events.get(events.size() - 1).id();
    }

    /** How long one event loop took for its connections, the last time. */
    long tellingNanos() {
        return telling;
    }

    private void tell(Bench bench) {
        long begun = System.nanoTime();
        List<LiveEvent> events;
        synchronized (this) {
            events = bench.waiting;
            bench.waiting = new ArrayList<>();
        }
        if (bench.all.isEmpty() || events.isEmpty()) {
            return;
        }
        Batch batch = new Batch(events);
        List.copyOf(bench.all)
                .forEach(subscriber -> subscriber.offer(batch)); // a copy: one that is too slow leaves while it is told
        long now = System.nanoTime();
        events.forEach(event -> meters.sent(now - event.changed()));
        telling = now - begun;
    }

    synchronized void startAnew(long at) {
        position = at;
        rooms.keySet().forEach(eid -> each(eid, subscriber -> subscriber.startAnew(at)));
    }

    /**
     * To be called on the subscriber's event loop. Whatever is published from now on is offered to it; what was before
     * is up to it.
     */
    synchronized boolean enter(Subscriber subscriber, Consumer<Long> at) {
        if (stopped) {
            return false;
        }
        Room room = rooms.computeIfAbsent(subscriber.eid, eid -> new Room());
        room.size++;
        room.byLoop.computeIfAbsent(subscriber.loop, loop -> new Bench()).all.add(subscriber);
        at.accept(position);
        return true;
    }

    /** Again on its event loop, once. */
    synchronized void leave(Subscriber subscriber) {
        Room room = rooms.get(subscriber.eid);
        Bench bench = room == null ? null : room.byLoop.get(subscriber.loop);
        if (bench != null && bench.all.remove(subscriber) && --room.size == 0) {
            rooms.remove(subscriber.eid);
        }
    }

    /** Proxies cut what is silent; and the id keeps a client of a quiet event from falling out of the history. */
    public synchronized void beat() {
        long id = position;
        Shared bytes = Shared.of(":\nid: " + id + "\n\n");
        rooms.keySet().forEach(eid -> each(eid, subscriber -> subscriber.beat(bytes, id)));
    }

    /** How many watch each event, here. */
    synchronized Map<String, Integer> watched() {
        Map<String, Integer> watched = new TreeMap<>();
        rooms.forEach((eid, room) -> watched.put(eid, room.size));
        return watched;
    }

    private int subscribers() {
        return watched().values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Ends every stream, telling each client when to come back; from now on nobody is let in. */
    @Override
    public void stop() {
        List<CountDownLatch> ends = new ArrayList<>();
        synchronized (this) {
            stopped = true;
            rooms.forEach((eid, room) -> room.byLoop.forEach((loop, bench) -> {
                CountDownLatch end = new CountDownLatch(1);
                ends.add(end);
                loop.execute(() -> {
                    List.copyOf(bench.all).forEach(Subscriber::end);
                    end.countDown();
                });
            }));
        }
        try {
            for (CountDownLatch end : ends) {
                if (!end.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    LOG.warn("Streams of live events are cut off: they took longer than {} s to end", PATIENCE_SECONDS);
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void each(String eid, Consumer<Subscriber> told) {
        rooms.get(eid)
                .byLoop
                .forEach((loop, bench) ->
                        loop.execute(() -> List.copyOf(bench.all).forEach(told)));
    }
}
