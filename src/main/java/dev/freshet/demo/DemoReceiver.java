package dev.freshet.demo;

import dev.freshet.api.Refused;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.Body;
import org.apache.camel.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The app whose cache is kept true, where none is configured: it takes the calls of the tag target over real HTTP and
 * remembers the last ones.
 */
public final class DemoReceiver {
    private static final Logger LOG = LoggerFactory.getLogger(DemoReceiver.class);
    private static final int REMEMBERED = 100;

    private final Deque<Map<String, Object>> calls = new ArrayDeque<>();
    private final String secret;
    private final Consumer<List<String>> stale;
    private final Clock clock;

    /** @param stale is told the tags of each call, before that is answered */
    public DemoReceiver(String secret, Consumer<List<String>> stale, Clock clock) {
        this.secret = secret;
        this.stale = stale;
        this.clock = clock;
    }

    /** Good until Freshet stops. */
    public static String newSecret() {
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /** As a Next.js app's /api/revalidate answers. */
    public Map<String, Object> revalidate(
            @Body Map<String, Object> body,
            @Header("x-revalidation-secret") String shown,
            @Header("webhook-id") String id) {
        if (shown == null || !MessageDigest.isEqual(bytes(shown), bytes(secret))) {
            throw new Refused(401, "x-revalidation-secret: not the one of this demo");
        }
        List<String> tags = tags(body);
        tags.forEach(tag -> LOG.info("Demo receiver: {} is fresh again", tag));
        remember("tag", tags, id);
        return Map.of("revalidated", true, "now", clock.millis());
    }

    /** As the app's /api/internal/cache/invalidate answers; who may call it is the gate's business. */
    public Map<String, Object> invalidate(@Body Map<String, Object> body) {
        List<String> tags = tags(body);
        LOG.info("Demo receiver: {} are fresh again ({})", String.join(", ", tags), body.get("source"));
        remember("batch", tags, String.valueOf(body.get("requestId")));
        return Map.of("success", true, "invalidated", tags.size());
    }

    /** Newest first. */
    public synchronized Map<String, Object> calls() {
        return Map.of("calls", List.copyOf(calls));
    }

    private synchronized void remember(String target, List<String> tags, String id) {
        stale.accept(tags);
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("at", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
        call.put("target", target);
        call.put("tags", tags);
        call.put("webhook_id", id);
        calls.addFirst(call);
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
