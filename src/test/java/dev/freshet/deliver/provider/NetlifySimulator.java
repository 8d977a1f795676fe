package dev.freshet.deliver.provider;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * POST /api/v1/purge with site_id and cache_tags: https://docs.netlify.com/build/caching/caching-overview/, on-demand
 * invalidation (202; a tag or a site may be purged twice in 5 seconds; case-insensitive; tags separated by commas; up
 * to 1,024 characters), and netlify/primitives, purgeCache. Interpreted here in the strictest way: each tag that it has
 * seen, and the site, at most twice in any 5 seconds.
 */
public final class NetlifySimulator extends Simulator {
    private static final long WINDOW_NANOS = 5_000_000_000L;

    private final Map<String, Deque<Long>> purges = new HashMap<>();
    private final String site;
    private final String token;

    public NetlifySimulator(String site, String token) {
        this.site = site;
        this.token = token;
    }

    @Override
    synchronized Reply answer(Request request) {
        if (!request.method().equals("POST") || !request.path().equals("/api/v1/purge")) {
            return failure(404, "Not Found");
        }
        if (!request.header("authorization").equals("Bearer " + token)) {
            return failure(401, "Access Denied");
        }
        if (!request.json().path("site_id").asText().equals(site)) {
            return failure(404, "site not found");
        }
        List<String> tags = texts(request.json().path("cache_tags"));
        for (String tag : tags) {
            if (!tag.matches("[\\x21-\\x2b\\x2d-\\x7e]{1,1024}")) {
                return failure(400, "invalid cache tag " + tag);
            }
        }
        if (tags.isEmpty() || !mayPurge("site") || !tags.stream().allMatch(tag -> mayPurge("tag " + tag))) {
            return failure(429, "too many purges");
        }
        return new Reply(202, "", tags);
    }

    private boolean mayPurge(String what) {
        Deque<Long> recent = purges.computeIfAbsent(what.toLowerCase(Locale.ROOT), first -> new ArrayDeque<>());
        long now = System.nanoTime();
        recent.removeIf(when -> now - when > WINDOW_NANOS);
        return recent.size() < 2 && recent.add(now);
    }

    private static Reply failure(int status, String message) {
        return Reply.of(status, "{\"code\":" + status + ",\"message\":\"" + message + "\"}");
    }
}
