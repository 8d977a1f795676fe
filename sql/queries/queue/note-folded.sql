-- Run after a fold, in its transaction: determines the rows of the queue that fences wait for now. These are the rows
-- that this fold has written for the changes it took (:ids); they are recognized by their xmin. If changes have left in
-- some other way (:ids is null: an instance of an older build, or a manual DELETE), these are all rows of their tags
-- that are still to be handed over; if there are none, they have been handed over.
WITH gone AS MATERIALIZED (
    SELECT ctid, fence, tag FROM freshet.fence_inbox
    WHERE inbox = ANY (CASE WHEN :#ids::bigint[] IS NULL
                            THEN ARRAY(SELECT w.inbox FROM freshet.fence_inbox w
                                       WHERE NOT EXISTS (SELECT FROM freshet.inbox i WHERE i.id = w.inbox) LIMIT 10000)
                            ELSE :#ids::bigint[] END)
    FOR UPDATE SKIP LOCKED
), moved AS (
    DELETE FROM freshet.fence_inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM gone))
), changed AS MATERIALIZED (
    SELECT DISTINCT fence, tag FROM gone
), waits AS MATERIALIZED (
    SELECT c.fence, c.tag, q.time_bucket, q.invalidation_count FROM changed c CROSS JOIN LATERAL (
        SELECT time_bucket, invalidation_count FROM public.cache_invalidation_queue
        WHERE tag = c.tag
          AND CASE WHEN invalidation_count > handed_count THEN true ELSE last_invalidated_at IS NULL
              AND handover IS NULL END
          AND (:#ids::bigint[] IS NULL
               OR xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296) OFFSET 0) q
), noted AS (
    INSERT INTO freshet.fence_queue AS w (fence, tag, time_bucket, count) SELECT * FROM waits
    ON CONFLICT (fence, tag, time_bucket) DO UPDATE SET count = greatest(w.count, excluded.count)
)
INSERT INTO freshet.fence_delivery AS w (fence, tag, target, delivery, handover)
SELECT c.fence, c.tag, d.target, d.id, d.handover
FROM changed c
     CROSS JOIN LATERAL (SELECT target, id, handover FROM freshet.delivery WHERE tag = c.tag OFFSET 0) d
     JOIN freshet.target t ON t.name = d.target AND t.takes_queue
WHERE NOT EXISTS (SELECT FROM waits WHERE waits.fence = c.fence AND waits.tag = c.tag)
ON CONFLICT (fence, tag, target) DO UPDATE SET delivery = excluded.delivery, handover = excluded.handover
