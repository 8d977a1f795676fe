package dev.freshet.deliver.provider;

import java.util.List;
import java.util.stream.Collectors;

/**
 * POST /service/{service}/purge. 256 keys a request: https://docs.rs/fastly-api (bulk_purge_tag, from Fastly's own
 * description of its API); keys of up to 1,024 bytes, spaces between them:
 * https://www.fastly.com/documentation/reference/http/http-headers/Surrogate-Key/; 100,000 purges an hour for a
 * customer: https://apis.io/rate-limits/fastly/fastly-rate-limits/. The answer names a purge id for each key.
 */
public final class FastlySimulator extends Simulator {
    private final TokenBucket keysAnHour = new TokenBucket(100_000, 0);
    private final String service;
    private final String token;

    public FastlySimulator(String service, String token) {
        this.service = service;
        this.token = token;
    }

    @Override
    Reply answer(Request request) {
        if (!request.method().equals("POST") || !request.path().equals("/service/" + service + "/purge")) {
            return failure(404, "Record not found");
        }
        if (!request.header("fastly-key").equals(token)) {
            return failure(401, "Provided credentials are missing or invalid");
        }
        List<String> keys = texts(request.json().path("surrogate_keys"));
        if (keys.isEmpty() || keys.size() > 256) {
            return failure(400, "between 1 and 256 surrogate keys, not " + keys.size());
        }
        if (!keysAnHour.take(keys.size())) {
            return failure(429, "Too many requests");
        }
        for (String key : keys) {
            if (!key.matches("[\\x21-\\x7e]{1,1024}")) {
                return failure(400, "Invalid surrogate key " + key);
            }
        }
        return new Reply(
                200,
                keys.stream()
                        .map(key ->
                                "\"" + key.replace("\\", "\\\\").replace("\"", "\\\"") + "\":\"108-1391560174-974124\"")
                        .collect(Collectors.joining(",", "{", "}")),
                keys);
    }

    private static Reply failure(int status, String message) {
        return Reply.of(status, "{\"msg\":\"" + message + "\"}");
    }
}
