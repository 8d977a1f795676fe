-- Run after a fold met a lock: which of the oldest tags cannot be folded now, because someone else has locked their
-- row. One answer covers a transaction that has locked very many. A row that has not been committed yet cannot be seen
-- here; oldest-in-inbox.sql finds its tag.
WITH oldest AS MATERIALIZED (
    SELECT DISTINCT tag, date_bin(make_interval(secs => :#bucketSeconds), changed_at,
        timestamptz 'epoch') AS time_bucket
    FROM (SELECT tag, changed_at FROM freshet.inbox WHERE id > :#floor AND tag <> ALL (:#blocked::text[])
        ORDER BY id LIMIT :#limit) i
), there AS MATERIALIZED (
    SELECT q.* FROM oldest o CROSS JOIN LATERAL (
        SELECT tag, time_bucket FROM public.cache_invalidation_queue
        WHERE tag = o.tag AND (time_bucket = o.time_bucket OR ripe_at IS NOT NULL) OFFSET 0) q
), free AS MATERIALIZED (
    SELECT q.* FROM oldest o CROSS JOIN LATERAL (
        SELECT tag, time_bucket FROM public.cache_invalidation_queue
        WHERE tag = o.tag AND (time_bucket = o.time_bucket OR ripe_at IS NOT NULL)
        FOR UPDATE SKIP LOCKED OFFSET 0) q
)
SELECT tag FROM (TABLE there EXCEPT TABLE free) held GROUP BY tag
