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

/** The deliveries that are sent to one target in one request. */
public final class Call {
    private final List<Delivery> deliveries;
    private String id;
    private long position;
    private volatile long begun = System.nanoTime();
    private boolean taken;

    private Call(List<Delivery> deliveries) {
        this.deliveries = List.copyOf(deliveries);
    }

    /**
     * What the deliveries of one call have in common: all use the same profile, and urgent ones are not mixed with
     * others.
     */
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

    /**
     * Groups deliveries to one target into as few calls as possible. Only deliveries that allow the same size of call
     * share one.
     */
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

    /**
     * Sets the position that these calls cover: it includes everything committed before it. Null if there are no
     * replicas to wait for.
     */
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

    /** The profile as the body states it; null: the body states none. */
    String profile() {
        return deliveries.get(0).policy().profile();
    }

    boolean isUrgent() {
        return deliveries.get(0).policy().isUrgent();
    }

    /** True if no delivery in this call is a first attempt. */
    boolean isRetry() {
        return deliveries.stream().allMatch(Delivery::retry);
    }

    /** How far the call's priority is above the default. */
    int aboveUsual() {
        return deliveries.stream()
                .mapToInt(delivery -> delivery.policy().aboveUsual())
                .max()
                .orElse(0);
    }

    public List<String> getTags() {
        return deliveries.stream().map(Delivery::tag).toList();
    }

    /**
     * Called when a connection takes this call.
     *
     * @return false if a connection has already taken it
     */
    synchronized boolean take() {
        boolean isFirst = !taken;
        taken = true;
        return isFirst;
    }

    /** The leases of all deliveries leave time for the call. */
    boolean isInTime() {
        long now = System.nanoTime();
        return deliveries.stream().allMatch(delivery -> delivery.deadline() - now > 0);
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

    /**
     * {@code {"tag": …}} for a target that takes one tag at a time, {@code {"tags": […]}} for one that takes batches.
     */
    public Map<String, Object> asTagOrTags() {
        return asTagOrTags(deliveries.get(0).batch());
    }

    /**
     * @throws IllegalStateException if a tag would have to be left out: it would be recorded as delivered nonetheless
     */
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

    /** Writes the tag target's body as text: exactly this text is sent and signed. */
    public static void writeTags(Exchange exchange) {
        Call call = (Call) exchange.getVariable("call");
        exchange.getMessage().setBody(Json.text(call.asTagOrTags()));
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
    }

    /** The body for a batch target, with the given source. */
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
     * Identifies what the call covers: the same for every redelivery, and a different one once a newer change or other
     * tags are part of it.
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
