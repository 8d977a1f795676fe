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
 * The streams that are open on this instance, by event, so the cost of an event depends only on its own subscribers.
 * Each event loop takes what has accumulated for its connections, in the order of publication, and serializes it once
 * for all of them.
 */
public final class Hub implements StopsFirst {
    /**
     * The subscribers of one event on one event loop. Only that loop touches the set; the waiting events are guarded by
     * the hub's lock.
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

    /** Everything up to this id has been handed to the streams. */
    long position() {
        return position;
    }

    /** Must be called in order and without gaps. */
    synchronized void publish(List<LiveEvent> events) {
        Map<String, List<LiveEvent>> byEvent = new LinkedHashMap<>();
        events.stream()
                .filter(event -> rooms.containsKey(event.eid()))
                .forEach(event -> byEvent.computeIfAbsent(event.eid(), eid -> new ArrayList<>())
                        .add(event));
        byEvent.forEach((eid, its) -> rooms.get(eid).byLoop.forEach((loop, bench) -> {
            // a loop that is behind takes everything that has accumulated at once: one write per stream, however many
            // events
            if (bench.waiting.isEmpty()) {
                loop.execute(() -> tell(bench));
            }
            bench.waiting.addAll(its);
        }));
        position = events.get(events.size() - 1).id();
    }

    /** How long an event loop took, last time, to write to its connections. */
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
                // iterate over a copy: a subscriber that is too slow leaves during the loop
                .forEach(subscriber -> subscriber.offer(batch));
        long now = System.nanoTime();
        events.forEach(event -> meters.sent(now - event.changed()));
        telling = now - begun;
    }

    synchronized void startAnew(long at) {
        position = at;
        rooms.keySet().forEach(eid -> each(eid, subscriber -> subscriber.startAnew(at)));
    }

    /**
     * Must be called on the subscriber's event loop. Everything published from now on is offered to the subscriber;
     * earlier events are its own concern.
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

    /** Must be called once, on the subscriber's event loop. */
    synchronized void leave(Subscriber subscriber) {
        Room room = rooms.get(subscriber.eid);
        Bench bench = room == null ? null : room.byLoop.get(subscriber.loop);
        if (bench != null && bench.all.remove(subscriber) && --room.size == 0) {
            rooms.remove(subscriber.eid);
        }
    }

    /**
     * Proxies close silent connections, so each stream gets a heartbeat. It carries an id, so that a client of a quiet
     * event does not fall out of the history.
     */
    public synchronized void beat() {
        long id = position;
        Shared bytes = Shared.of(":\nid: " + id + "\n\n");
        rooms.keySet().forEach(eid -> each(eid, subscriber -> subscriber.beat(bytes, id)));
    }

    /** The number of subscribers of each event on this instance. */
    synchronized Map<String, Integer> watched() {
        Map<String, Integer> watched = new TreeMap<>();
        rooms.forEach((eid, room) -> watched.put(eid, room.size));
        return watched;
    }

    private int subscribers() {
        return watched().values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Ends every stream, tells each client when to reconnect, and admits no new ones. */
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
