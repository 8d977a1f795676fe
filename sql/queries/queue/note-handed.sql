-- Run after a hand-over, in its transaction: fences that waited for rows of the queue now wait for deliveries. Applies
-- to :tags, or if that is null to everything that was handed over without being noted. A row counts as handed over once
-- its handed_count has reached the count that it had with the fence's change, however much it has grown since; with
-- :pastQueue, the tags were made owed without their rows.
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
