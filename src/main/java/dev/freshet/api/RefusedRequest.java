package dev.freshet.api;

import java.time.Instant;

/** A request that the gate turned away. It never carries a key, nor the query, in which one may stand. */
public record RefusedRequest(
        Instant when, String method, String path, int status, String reason, String client, String requestId) {}
