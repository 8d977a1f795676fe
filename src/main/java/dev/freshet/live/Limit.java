package dev.freshet.live;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * FRESHET_LIVE_LIMIT: notifications per event and second. Changes above the limit are merged into one notification that
 * names all their endpoints. If even that one exceeds the limit, it is held until it may be sent. None is dropped.
 */
record Limit(int perSecond) {
    /** Both in the order in which they are to be sent; {@code held} go back to the outbox. */
    record Split(List<Change> send, List<Change> held) {}

    /** Leaves room for the rest of the payload. */
    private static final int MOST_BYTES = 6_000;

    private static final int MOST = 100;

    boolean isOn() {
        return perSecond > 0;
    }

    /** @param recent the number of notifications for each event within the last second */
    Split of(List<Change> changes, Map<String, Integer> recent) {
        if (!isOn()) {
            return new Split(changes, List.of());
        }
        Map<String, List<Integer>> places = new LinkedHashMap<>();
        for (int place = 0; place < changes.size(); place++) {
            places.computeIfAbsent(changes.get(place).eid(), eid -> new ArrayList<>())
                    .add(place);
        }
        Map<Integer, Change> send = new TreeMap<>();
        List<Change> held = new ArrayList<>();
        places.forEach((eid, own) -> {
            int left = Math.max(0, perSecond - recent.getOrDefault(eid, 0));
            int alone = own.size() <= left ? own.size() : Math.max(0, left - 1);
            own.subList(0, alone).forEach(place -> send.put(place, changes.get(place)));
            if (alone < own.size()) {
                List<Change> together = together(own.subList(alone, own.size()).stream()
                        .map(changes::get)
                        .toList());
                int now = left - alone > 0 ? 1 : 0;
                together.subList(0, now).forEach(change -> send.put(own.get(own.size() - 1), change));
                held.addAll(together.subList(now, together.size()));
            }
        });
        return new Split(List.copyOf(send.values()), held);
    }

    /**
     * Merges changes into the newest of them, with the endpoints of all: one change, or as many as those endpoints
     * need.
     */
    private static List<Change> together(List<Change> changes) {
        LinkedHashSet<String> all = new LinkedHashSet<>();
        changes.forEach(change -> all.addAll(change.stale()));
        Change newest = changes.get(changes.size() - 1);
        int many = changes.stream().mapToInt(Change::changes).sum();
        List<Change> together = new ArrayList<>();
        List<String> some = new ArrayList<>();
        int bytes = 0;
        for (String endpoint : all) {
            int length = endpoint.getBytes(StandardCharsets.UTF_8).length;
            if (!some.isEmpty() && (bytes + length > MOST_BYTES || some.size() == MOST)) {
                together.add(newest.standingFor(List.copyOf(some), together.isEmpty() ? many : 0));
                some.clear();
                bytes = 0;
            }
            some.add(endpoint);
            bytes += length;
        }
        together.add(newest.standingFor(List.copyOf(some), together.isEmpty() ? many : 0));
        return together;
    }
}
