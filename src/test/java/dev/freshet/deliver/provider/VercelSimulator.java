package dev.freshet.deliver.provider;

import java.util.List;

/**
 * POST /v1/edge-cache/invalidate-by-tags and dangerously-delete-by-tags:
 * https://vercel.com/docs/rest-api/edge-cache/invalidate-by-tag (tags of up to 256 characters, target, teamId); 16 tags
 * in a REST call, and commas between tags in a header: https://vercel.com/docs/caching/cdn-cache/purge. The number of
 * calls a minute is not documented; here it is 120, Vercel's usual number for such calls.
 */
public final class VercelSimulator extends Simulator {
    private final TokenBucket bucket = new TokenBucket(120, 2);
    private final String project;
    private final String token;

    public VercelSimulator(String project, String token) {
        this.project = project;
        this.token = token;
    }

    @Override
    Reply answer(Request request) {
        boolean isKnown = request.path().matches("/v1/edge-cache/(invalidate|dangerously-delete)-by-tags\\?.*");
        if (!request.method().equals("POST") || !isKnown) {
            return failure(404, "not_found", "The requested resource was not found");
        }
        if (!request.header("authorization").equals("Bearer " + token)) {
            return failure(403, "forbidden", "The request is missing an authentication token");
        }
        if (!request.path().matches(".*\\?projectIdOrName=" + project + "(&teamId=team_\\w+)?")) {
            return failure(404, "not_found", "Project not found");
        }
        if (!bucket.take(1)) {
            return failure(429, "too_many_requests", "Rate limit exceeded");
        }
        List<String> tags = texts(request.json().path("tags"));
        if (tags.isEmpty() || tags.size() > 16) {
            return failure(400, "bad_request", "Invalid request: `tags` should have 1 to 16 items");
        }
        for (String tag : tags) {
            if (!tag.matches("[\\x21-\\x2b\\x2d-\\x7e]{1,256}")) {
                return failure(400, "bad_request", "Invalid request: tag " + tag);
            }
        }
        return new Reply(200, "", tags);
    }

    private static Reply failure(int status, String code, String message) {
        return Reply.of(status, "{\"error\":{\"code\":\"" + code + "\",\"message\":\"" + message + "\"}}");
    }
}
