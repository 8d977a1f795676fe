package dev.freshet.demo;

import dev.freshet.api.InUtc;
import dev.freshet.api.JsonAnswer;
import dev.freshet.api.Refused;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.Body;
import org.apache.camel.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands in for the app whose cache is kept true, if none is configured: it receives the calls of the tag target over
 * real HTTP and remembers the last ones.
 */
public final class DemoReceiver {
    @JsonAnswer
    record Revalidated(boolean revalidated, long now) {}

    /** @param invalidated number of tags */
    @JsonAnswer
    record InvalidatedTags(boolean success, int invalidated) {}

    @JsonAnswer
    record ReceivedCall(@InUtc Instant at, String target, List<String> tags, String webhookId) {}

    @JsonAnswer
    record ReceivedCalls(List<ReceivedCall> calls) {}

    private static final Logger LOG = LoggerFactory.getLogger(DemoReceiver.class);
    private static final int REMEMBERED = 100;

    private final Deque<ReceivedCall> calls = new ArrayDeque<>();
    private final String secret;
    private final Consumer<List<String>> stale;
    private final Clock clock;

    /** @param stale receives the tags of each call before the call is answered */
    public DemoReceiver(String secret, Consumer<List<String>> stale, Clock clock) {
        this.secret = secret;
        this.stale = stale;
        this.clock = clock;
    }

    /** Valid until Freshet stops. */
    public static String newSecret() {
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /** Answers like a Next.js app's /api/revalidate. */
    public Revalidated revalidate(
            @Body Map<String, Object> body,
            @Header("x-revalidation-secret") String shown,
            @Header("webhook-id") String id) {
        if (shown == null || !MessageDigest.isEqual(bytes(shown), bytes(secret))) {
            throw new Refused(401, "x-revalidation-secret: not the one of this demo");
        }
        List<String> tags = tags(body);
        tags.forEach(tag -> LOG.info("Demo receiver: {} is fresh again", tag));
        remember("tag", tags, id);
        return new Revalidated(true, clock.millis());
    }

    /** Answers like the app's /api/internal/cache/invalidate; the gate decides who may call it. */
    public InvalidatedTags invalidate(@Body Map<String, Object> body) {
        List<String> tags = tags(body);
        LOG.info("Demo receiver: {} are fresh again ({})", String.join(", ", tags), body.get("source"));
        remember("batch", tags, String.valueOf(body.get("requestId")));
        return new InvalidatedTags(true, tags.size());
    }

    /** Newest first. */
    public synchronized ReceivedCalls calls() {
        return new ReceivedCalls(List.copyOf(calls));
    }

    private synchronized void remember(String target, List<String> tags, String id) {
        stale.accept(tags);
        calls.addFirst(new ReceivedCall(clock.instant().truncatedTo(ChronoUnit.MILLIS), target, tags, id));
        if (calls.size() > REMEMBERED) {
            calls.removeLast();
        }
    }

    private static List<String> tags(Map<String, Object> body) {
        if (body.get("tag") instanceof String tag) {
            return List.of(tag);
        }
        if (body.get("tags") instanceof Collection<?> tags
                && !tags.isEmpty()
                && tags.stream().allMatch(String.class::isInstance)) {
            return tags.stream().map(String.class::cast).toList();
        }
        throw new Refused(400, "tag: required");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
