package dev.freshet.deliver;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The deliveries that go to a target in one request. */
public final class Call {
    private final List<Delivery> deliveries = new ArrayList<>();
    private volatile long begun = System.nanoTime();

    /** The aggregator's strategy. */
    public static final class Gathering {
        public Call gather(Call soFar, Delivery next) {
            Call call = soFar == null ? new Call() : soFar;
            call.deliveries.add(next);
            return call;
        }
    }

    public static Call of(List<Delivery> deliveries) {
        Call call = new Call();
        call.deliveries.addAll(deliveries);
        return call;
    }

    public List<Delivery> deliveries() {
        return deliveries;
    }

    public String getTarget() {
        return deliveries.get(0).target();
    }

    public List<String> getTags() {
        return deliveries.stream().map(Delivery::tag).toList();
    }

    public boolean isComplete() {
        return deliveries.size() >= deliveries.get(0).company() || deliveries.get(deliveries.size() - 1).last();
    }

    void begin() {
        begun = System.nanoTime();
    }

    double secondsSinceBegin() {
        return (System.nanoTime() - begun) / 1e9;
    }

    public int size() {
        return deliveries.size();
    }

    /** {@code {"tag": …}} for a target that takes one at a time, {@code {"tags": […]}} for one that takes batches. */
    public Map<String, Object> asTagOrTags() {
        return asTagOrTags(deliveries.get(0).batch());
    }

    /** @throws IllegalStateException rather than leave a tag out: its outcome would be "delivered" all the same */
    public Map<String, Object> asTagOrTags(int batch) {
        if (batch > 1) {
            return Map.of("tags", getTags());
        }
        if (deliveries.size() > 1) {
            throw new IllegalStateException("asTagOrTags(1) would send one of the call's " + deliveries.size()
                    + " tags only: write asTagOrTags() in the route of target " + getTarget() + ", or batch: 1 in its bean");
        }
        return Map.of("tag", deliveries.get(0).tag());
    }

    /** What a batch target takes, whoever sends it. */
    public Map<String, Object> asBatch(String source) {
        Map<String, Object> batch = new LinkedHashMap<>();
        batch.put("tags", getTags());
        batch.put("source", source);
        batch.put("requestId", getId());
        return batch;
    }

    /** Names what the call covers: the same on every redelivery, another one as soon as a newer change or other tags are in it. */
    public String getId() {
        StringBuilder covered = new StringBuilder(getTarget());
        deliveries.forEach(d -> covered.append('\n').append(d.id()).append(':').append(d.handover()));
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(covered.toString().getBytes(StandardCharsets.UTF_8));
            return "msg_" + Base64.getUrlEncoder().withoutPadding().encodeToString(hash).substring(0, 27);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
