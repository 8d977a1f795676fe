-- After a hand-over, in its transaction: fences that waited for rows of the queue wait for deliveries now. Of :tags, or
-- (null) of whatever was handed over unnoticed. A row is handed over once its handed_count has reached the count it
-- had with the fence's change, however it has grown since; with :pastQueue, the tags were owed without their rows.
WITH handed AS MATERIALIZED (
    SELECT ctid, fence, tag FROM freshet.fence_queue w
    WHERE (:#tags::text[] IS NULL OR tag = ANY (:#tags::text[]))
      AND (:#pastQueue::boolean OR NOT EXISTS (
          SELECT FROM public.cache_invalidation_queue q
          WHERE q.tag = w.tag AND q.time_bucket = w.time_bucket AND q.handed_count < w.count
            AND CASE WHEN q.invalidation_count > q.handed_count THEN true
                     ELSE q.last_invalidated_at IS NULL AND q.handover IS NULL END))
    FOR UPDATE SKIP LOCKED
), moved AS (
    DELETE FROM freshet.fence_queue WHERE ctid = ANY (ARRAY(SELECT ctid FROM handed))
)
INSERT INTO freshet.fence_delivery AS w (fence, tag, target, delivery, handover)
SELECT h.fence, h.tag, d.target, d.id, d.handover
FROM (SELECT DISTINCT fence, tag FROM handed) h
     CROSS JOIN LATERAL (SELECT target, id, handover FROM freshet.delivery WHERE tag = h.tag OFFSET 0) d
     JOIN freshet.target t ON t.name = d.target AND t.takes_queue
ON CONFLICT (fence, tag, target) DO UPDATE SET delivery = excluded.delivery, handover = excluded.handover
