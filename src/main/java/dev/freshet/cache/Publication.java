package dev.freshet.cache;

/**
 * A row of freshet.publication.
 *
 * @param keys as JSON, as tags are
 * @param tags null: only keys were named
 */
record Publication(
        long number,
        String id,
        String pattern,
        String keys,
        String tags,
        String triggeredBy,
        String requestId,
        String timestamp) {}
