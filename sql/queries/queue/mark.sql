-- Second half of marking, a statement of its own so that it sees what others settled before this transaction got the
-- lock: a row is processed if its tag has an outcome at every target and it has not grown since it was handed over.
WITH held AS MATERIALIZED (
    SELECT * FROM unnest(:#heldTags::text[], :#heldBuckets::timestamptz[]) AS h(tag, time_bucket)
), marked AS (
    UPDATE public.cache_invalidation_queue q SET last_invalidated_at = now(), handover = NULL
    WHERE q.tag = ANY (:#heldTags::text[]) AND ((q.tag, q.time_bucket) IN (TABLE held)) IS TRUE
      AND q.handover IS NOT NULL AND q.invalidation_count = q.handed_count
      -- OFFSET 0: by the key of each row, never by reading all deliveries
      AND NOT EXISTS (SELECT FROM freshet.delivery d WHERE d.tag = q.tag AND d.settled_handover < q.handover OFFSET 0)
)
INSERT INTO freshet.mark_later (tag)
SELECT DISTINCT q.tag FROM public.cache_invalidation_queue q
WHERE q.tag = ANY (:#tags::text[]) AND q.handover IS NOT NULL
  AND NOT EXISTS (SELECT FROM held h WHERE h.tag = q.tag AND h.time_bucket = q.time_bucket)
