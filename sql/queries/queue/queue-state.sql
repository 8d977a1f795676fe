-- GET /api/queue. Exact as long as counting is cheap: beyond 100,000, the planner's estimate is used instead.
WITH to_hand_over AS MATERIALIZED (
    SELECT * FROM (
        SELECT tag, time_bucket AS since FROM public.cache_invalidation_queue
        WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
          AND ripe_at IS NULL LIMIT 100001) by_bucket
    UNION ALL
    -- what waits for a moment of its own is not late before that moment
    SELECT * FROM (
        SELECT tag, greatest(time_bucket, ripe_at) FROM public.cache_invalidation_queue
        WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
          AND ripe_at IS NOT NULL LIMIT 100001) at_a_moment
), handed AS MATERIALIZED (
    SELECT tag, min(changed_at) AS changed_at, bool_or(lease_id IS NOT NULL
        AND due_at > now()) AS in_flight, bool_or(attempts > 0) AS retrying,
           bool_or(attempts = 0) AS first_time
    FROM (SELECT * FROM freshet.delivery LIMIT 100001) d GROUP BY tag
), inbox AS MATERIALIZED (
    SELECT tag, changed_at FROM freshet.inbox WHERE tag IS NOT NULL LIMIT 100001
), pending AS MATERIALIZED (
    SELECT tag FROM to_hand_over UNION SELECT tag FROM handed WHERE first_time UNION SELECT tag FROM inbox
), counted AS (
    SELECT (SELECT count(*) FROM pending) AS tags,
           (SELECT count(*) FROM to_hand_over) + (SELECT count(*) FROM handed WHERE first_time) + (SELECT count(*)
               FROM inbox) AS rows
), estimated AS (
    SELECT sum(greatest(reltuples, 0))::bigint AS rows FROM pg_class
    WHERE oid IN ('freshet.inbox'::regclass, 'freshet.delivery'::regclass,
        'public.freshet_cache_invalidation_queue_to_hand_over'::regclass,
        'public.freshet_cache_invalidation_queue_to_hand_over_at'::regclass)
)
SELECT CASE WHEN counted.tags > 100000 THEN greatest(counted.tags, estimated.rows)
    ELSE counted.tags END AS pending_tags,
       CASE WHEN counted.rows > 100000 THEN greatest(counted.rows, estimated.rows)
           ELSE counted.rows END AS pending_rows,
       coalesce(round(extract(epoch FROM now() - least(
           -- a row from elsewhere may have -infinity, from which no age can be computed
           (SELECT min(least(greatest(since, now() - interval '100 years'), now())) FROM to_hand_over),
           (SELECT min(changed_at) FROM handed WHERE first_time),
           (SELECT min(changed_at) FROM inbox)))::numeric, 3), 0)::double precision AS oldest_seconds,
       (SELECT count(*) FROM handed WHERE in_flight) AS in_flight,
       (SELECT count(*) FROM handed WHERE retrying) AS retrying,
       (SELECT count(*) FROM (SELECT 1 FROM freshet.dead_letter LIMIT 100001) d) AS dead_letters
FROM counted, estimated
