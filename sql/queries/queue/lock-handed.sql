-- First half of marking: the queue rows of these tags that nobody else holds now. Two who settle the same tag for two
-- targets at the same time meet here; the one who comes too late leaves it to the next turn.
SELECT tag, time_bucket::text AS time_bucket FROM public.cache_invalidation_queue   -- as text: Java knows no infinity
WHERE tag = ANY (:#tags::text[]) AND handover IS NOT NULL
ORDER BY tag, time_bucket
FOR UPDATE SKIP LOCKED
