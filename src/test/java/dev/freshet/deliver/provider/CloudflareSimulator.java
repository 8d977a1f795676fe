package dev.freshet.deliver.provider;

import java.util.List;

/**
 * POST /client/v4/zones/{zone}/purge_cache. Limits and sizes:
 * https://developers.cloudflare.com/cache/how-to/purge-cache/ (buckets by plan, 100 operations a request); tags:
 * https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/ (printable ASCII, no spaces, up to 1,024
 * characters in an API call, case-insensitive); envelope:
 * https://developers.cloudflare.com/api/resources/cache/methods/purge/.
 */
public final class CloudflareSimulator extends Simulator {
    private final TokenBucket bucket;
    private final String zone;
    private final String token;

    /** @param plan free, pro, business or enterprise */
    public CloudflareSimulator(String plan, String zone, String token) {
        this.zone = zone;
        this.token = token;
        this.bucket = switch (plan) {
            case "free" -> new TokenBucket(25, 5 / 60.0);
            case "pro" -> new TokenBucket(25, 5);
            case "business" -> new TokenBucket(50, 10);
            default -> new TokenBucket(500, 50);
        };
    }

    @Override
    Reply answer(Request request) {
        if (!request.method().equals("POST") || !request.path().equals("/client/v4/zones/" + zone + "/purge_cache")) {
            return failure(404, 7003, "Could not route to " + request.path());
        }
        if (!request.header("authorization").equals("Bearer " + token)) {
            return failure(403, 10000, "Authentication error");
        }
        if (!bucket.take(1)) {
            return failure(429, 1134, "Unable to purge: rate limit reached. Please wait and consider throttling");
        }
        List<String> tags = texts(request.json().path("tags"));
        if (tags.isEmpty() || tags.size() > 100) {
            return failure(400, 1094, "Request must contain between 1 and 100 tags, and has " + tags.size());
        }
        for (String tag : tags) {
            if (!tag.matches("[\\x21-\\x2b\\x2d-\\x7e]{1,1024}")) {
                return failure(400, 1093, "Invalid tag " + tag);
            }
        }
        return new Reply(
                200, "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":{\"id\":\"" + zone + "\"}}", tags);
    }

    private static Reply failure(int status, int code, String message) {
        return Reply.of(
                status,
                "{\"success\":false,\"errors\":[{\"code\":" + code + ",\"message\":\"" + message
                        + "\"}],\"messages\":[],\"result\":null}");
    }
}
