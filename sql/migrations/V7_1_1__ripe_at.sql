-- hand-over: two indexes, so that rows that wait for a moment of their own (up to a day) are never walked past to find
-- those that are ripe by their bucket, nor the other way round. In a transaction of its own: who writes to an adopted
-- queue waits while they are built, which takes a look at the table each; of processed rows none is in them.
CREATE INDEX cache_invalidation_queue_to_hand_over_by_bucket ON public.cache_invalidation_queue (time_bucket, tag)
    WHERE ripe_at IS NULL AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
CREATE INDEX cache_invalidation_queue_to_hand_over_at ON public.cache_invalidation_queue (priority, ripe_at, tag)
    WHERE ripe_at IS NOT NULL
      AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
DROP INDEX IF EXISTS public.cache_invalidation_queue_to_hand_over;
ALTER INDEX public.cache_invalidation_queue_to_hand_over_by_bucket RENAME TO cache_invalidation_queue_to_hand_over;
