-- Queues and deletes the moments that have come by :horizon, in one statement, so that a crash undoes all of it. Each
-- is ripe at once (ripe_at), whatever the debounce. Its time_bucket is a microsecond after the moment, so that it
-- differs from the buckets in which changes are coalesced. A moment without rows, or whose watch is gone, is only
-- deleted.
WITH struck AS (
    DELETE FROM freshet.moment
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM freshet.moment WHERE at <= :#horizon::timestamptz ORDER BY at LIMIT :#limit))
    RETURNING watch, tag, at, count
), said AS MATERIALIZED (
    SELECT tag, at FROM struck
    WHERE count > 0
      AND watch = ANY (ARRAY(SELECT w.number FROM freshet.watch w JOIN pg_class c ON c.oid = w.watched))
    GROUP BY tag, at
), queued AS (
    INSERT INTO public.cache_invalidation_queue AS q
        (tag, time_bucket, invalidation_count, changed_at, ripe_at, priority)
    SELECT s.tag, s.at + interval '1 microsecond', 1, s.at, s.at, coalesce(p.priority, 5)
    FROM said s LEFT JOIN LATERAL freshet.policy_of(s.tag) p ON true ORDER BY s.tag, s.at
    ON CONFLICT (tag, time_bucket) DO UPDATE SET
        invalidation_count = greatest(q.invalidation_count,
                                      least(q.invalidation_count::bigint + excluded.invalidation_count, 2147483647)),
        handed_count = CASE WHEN q.invalidation_count = 2147483647 THEN least(q.handed_count, 2147483646)
                            ELSE q.handed_count END,
        last_invalidated_at = NULL,
        changed_at = CASE WHEN q.invalidation_count > q.handed_count THEN least(q.changed_at, excluded.changed_at)
                          ELSE excluded.changed_at END,
        ripe_at = excluded.ripe_at,
        priority = excluded.priority
), followed AS (
    INSERT INTO freshet.registry_due (tag)
    SELECT DISTINCT tag FROM said WHERE EXISTS (SELECT FROM public.cache_entries)
)
SELECT (SELECT count(*) FROM struck)::integer AS struck, (SELECT count(*) FROM said)::integer AS queued
