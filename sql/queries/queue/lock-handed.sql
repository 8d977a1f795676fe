-- First half of marking: locks the queue rows of these tags that are not locked by someone else. Two settlements of the
-- same tag for two targets meet here; the later one leaves the row to the next turn.
SELECT tag, time_bucket::text AS time_bucket FROM public.cache_invalidation_queue   -- as text: Java has no infinity
WHERE tag = ANY (:#tags::text[]) AND handover IS NOT NULL
ORDER BY tag, time_bucket
FOR UPDATE SKIP LOCKED
