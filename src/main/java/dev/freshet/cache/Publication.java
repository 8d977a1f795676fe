package dev.freshet.cache;

/**
 * A row of freshet.publication.
 *
 * @param keys as JSON, like tags
 * @param tags null: only keys were given
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
