package dev.freshet.deliver;

import dev.freshet.database.Json;
import dev.freshet.deliver.policy.Policy;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;

/** The deliveries that go to a target in one request. */
public final class Call {
    private final List<Delivery> deliveries;
    private String id;
    private long position;
    private volatile long begun = System.nanoTime();
    private boolean taken;

    private Call(List<Delivery> deliveries) {
        this.deliveries = List.copyOf(deliveries);
    }

    /** Who may share a call: all of them go with one profile, and what is urgent takes nothing else along. */
    private record Company(int most, String profile, boolean isUrgent) {
        static Company of(Delivery delivery) {
            return new Company(
                    delivery.company(),
                    delivery.policy().profile(),
                    delivery.policy().isUrgent());
        }
    }

    public static Call of(List<Delivery> deliveries) {
        return new Call(deliveries);
    }

    /** As few calls as these deliveries to one target need: each goes with others that may have as much company. */
    static List<Call> together(List<Delivery> deliveries) {
        List<Call> calls = new ArrayList<>();
        Map<Company, List<Delivery>> gathered = new LinkedHashMap<>();
        for (Delivery delivery : deliveries) {
            Company company = Company.of(delivery);
            List<Delivery> call = gathered.computeIfAbsent(company, each -> new ArrayList<>());
            call.add(delivery);
            if (call.size() == company.most()) {
                calls.add(new Call(call));
                gathered.remove(company);
            }
        }
        gathered.values().forEach(call -> calls.add(new Call(call)));
        return calls;
    }

    /** These calls, which cover what was committed before that position; null where there is no replica to wait for. */
    public static List<Call> covering(Long position, List<Call> calls) {
        calls.forEach(call -> call.position = position == null ? 0 : position);
        return calls;
    }

    long position() {
        return position;
    }

    public List<Delivery> deliveries() {
        return deliveries;
    }

    public String getTarget() {
        return deliveries.get(0).target();
    }

    /** As its body says it; null: it says nothing of one. */
    String profile() {
        return deliveries.get(0).policy().profile();
    }

    boolean isUrgent() {
        return deliveries.get(0).policy().isUrgent();
    }

    /** Nothing in it is tried for the first time. */
    boolean isRetry() {
        return deliveries.stream().allMatch(Delivery::retry);
    }

    /** How far its priority is above the usual one. */
    int aboveUsual() {
        return deliveries.stream()
                .mapToInt(delivery -> delivery.policy().aboveUsual())
                .max()
                .orElse(0);
    }

    public List<String> getTags() {
        return deliveries.stream().map(Delivery::tag).toList();
    }

    /** A connection takes it. False: one has done so before. */
    synchronized boolean take() {
        boolean isFirst = !taken;
        taken = true;
        return isFirst;
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
            return withProfile("tags", getTags());
        }
        if (deliveries.size() > 1) {
            throw new IllegalStateException("asTagOrTags(1) would send one of the call's " + deliveries.size()
                    + " tags only: write asTagOrTags() in the route of target " + getTarget()
                    + ", or batch: 1 in its bean");
        }
        return withProfile("tag", deliveries.get(0).tag());
    }

    private Map<String, Object> withProfile(String name, Object tags) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put(name, tags);
        if (profile() != null) {
            body.put("profile", Policy.inBody(profile()));
        }
        return body;
    }

    /** The tag target's body, as the text that is sent and signed. */
    public static void writeTags(Exchange exchange) {
        Call call = (Call) exchange.getVariable("call");
        exchange.getMessage().setBody(Json.text(call.asTagOrTags()));
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
    }

    /** What a batch target takes, whoever sends it. */
    public Map<String, Object> asBatch(String source) {
        Map<String, Object> batch = new LinkedHashMap<>();
        batch.put("tags", getTags());
        batch.put("source", source);
        batch.put("requestId", getId());
        if (profile() != null) {
            batch.put("profile", Policy.inBody(profile()));
        }
        return batch;
    }

    /**
     * Names what the call covers: the same on every redelivery, another one as soon as a newer change or other tags are
     * in it.
     */
    public synchronized String getId() {
        if (id == null) {
            StringBuilder covered = new StringBuilder(getTarget());
            deliveries.forEach(
                    d -> covered.append('\n').append(d.id()).append(':').append(d.handover()));
            if (profile() != null) {
                covered.append('\n').append(profile());
            }
            String hash = Base64.getUrlEncoder().withoutPadding().encodeToString(sha256(covered.toString()));
            id = "msg_" + hash.substring(0, 27);
        }
        return id;
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
