package dev.freshet.deliver.provider;

import java.util.List;

/**
 * POST /pullzone/{id}/purgeCache with one CacheTag: https://docs.bunny.net/cdn/purge-cache (AccessKey, CDN-Tag headers
 * of 1,024 bytes, token buckets for each account: 20, and one in 2 seconds, for anything but an exact address). A
 * success is a 204 without a body: https://docs.bunny.net/api-reference/core/pull-zone/purge-cache.
 */
public final class BunnySimulator extends Simulator {
    private final TokenBucket bucket = new TokenBucket(20, 0.5);
    private final String zone;
    private final String key;

    public BunnySimulator(String zone, String key) {
        this.zone = zone;
        this.key = key;
    }

    @Override
    Reply answer(Request request) {
        if (!request.method().equals("POST") || !request.path().equals("/pullzone/" + zone + "/purgeCache")) {
            return Reply.of(404, "{\"ErrorKey\":\"pullzone.not_found\",\"Field\":\"\",\"Message\":\"Not found\"}");
        }
        if (!request.header("accesskey").equals(key)) {
            return Reply.of(401, "{\"Message\":\"Authorization has been denied for this request.\"}");
        }
        if (!bucket.take(1)) {
            return Reply.of(429, "{\"Message\":\"Too Many Requests\"}");
        }
        String tag = request.json().path("CacheTag").asText();
        boolean isWhole = request.json().size() == 1 && tag.matches("[\\x21-\\x2b\\x2d-\\x7e]{1,1024}");
        return isWhole
                ? new Reply(204, "", List.of(tag))
                : Reply.of(400, "{\"ErrorKey\":\"validation\",\"Field\":\"CacheTag\",\"Message\":\"" + tag + "\"}");
    }
}
