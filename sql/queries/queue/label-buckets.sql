-- After a change of policies: rows that are ripe by their bucket and whose tag now has a priority. They get a moment of
-- their own, the same as before, because only rows with such a moment are ordered by priority.
WITH looked AS MATERIALIZED (
    SELECT tag, time_bucket FROM public.cache_invalidation_queue
    WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
      AND ripe_at IS NULL
      AND (:#bucket::timestamptz IS NULL OR (time_bucket, tag) > (:#bucket::timestamptz, :#tag::text))
    ORDER BY time_bucket, tag LIMIT :#limit
), wrong AS MATERIALIZED (
    SELECT l.*, p.priority AS wanted FROM looked l CROSS JOIN LATERAL freshet.policy_of(l.tag) p WHERE p.priority <> 5
), free AS MATERIALIZED (
    SELECT q.*, w.wanted FROM wrong w CROSS JOIN LATERAL (
        SELECT tag, time_bucket FROM public.cache_invalidation_queue
        WHERE tag = w.tag AND time_bucket = w.time_bucket AND ripe_at IS NULL
        FOR UPDATE SKIP LOCKED OFFSET 0) q
), labelled AS (
    UPDATE public.cache_invalidation_queue q
    SET priority = f.wanted, ripe_at = q.time_bucket + make_interval(secs => :#debounceSeconds)
    FROM free f WHERE q.tag = f.tag AND q.time_bucket = f.time_bucket AND q.ripe_at IS NULL
)
SELECT counted.*, last.*, NULL AS target, NULL AS moment, NULL::integer AS priority
FROM (SELECT count(*)::integer AS looked FROM looked) counted
LEFT JOIN (SELECT time_bucket::text AS bucket, tag FROM looked
           ORDER BY looked.time_bucket DESC, looked.tag DESC LIMIT 1) last ON true
