-- After a change of policies: rows of the queue that wait for a moment of their own, in the order of their index. A row
-- that moves forward in the index is met again, and is correct by then.
WITH looked AS MATERIALIZED (
    SELECT tag, time_bucket, priority, ripe_at FROM public.cache_invalidation_queue
    WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
      AND ripe_at IS NOT NULL
      AND (:#priority::smallint IS NULL
           OR (priority, ripe_at, tag) > (:#priority::smallint, :#moment::timestamptz, :#tag::text))
    ORDER BY priority, ripe_at, tag LIMIT :#limit
), wrong AS MATERIALIZED (
    SELECT * FROM (SELECT *, coalesce((SELECT p.priority FROM freshet.policy_of(tag) p), 5) AS wanted FROM looked) l
    WHERE priority <> wanted
), free AS MATERIALIZED (
    SELECT q.*, w.wanted FROM wrong w CROSS JOIN LATERAL (
        SELECT tag, time_bucket FROM public.cache_invalidation_queue
        WHERE tag = w.tag AND time_bucket = w.time_bucket
        FOR UPDATE SKIP LOCKED OFFSET 0) q
), labelled AS (
    UPDATE public.cache_invalidation_queue q SET priority = f.wanted
    FROM free f WHERE q.tag = f.tag AND q.time_bucket = f.time_bucket
)
SELECT counted.*, last.*, NULL AS target, NULL AS bucket FROM (SELECT count(*)::integer AS looked FROM looked) counted
LEFT JOIN (SELECT priority, ripe_at::text AS moment, tag FROM looked
           ORDER BY looked.priority DESC, looked.ripe_at DESC, looked.tag DESC LIMIT 1) last ON true
