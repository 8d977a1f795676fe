package dev.freshet.api;

import java.time.Instant;

/** A request that the gate refused. It contains neither a key nor the query, which may contain one. */
public record RefusedRequest(
        Instant when, String method, String path, int status, String reason, String client, String requestId) {}
