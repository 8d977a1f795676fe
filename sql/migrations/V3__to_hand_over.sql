-- hand-over: the oldest buckets with something to hand over, and in an index of their own the rows that wait for a
-- moment of their own (up to a day): neither are walked past to find the others. Writers of an adopted queue wait while
-- they are built, which takes a look at the table each: of an adopted one almost every row is processed, and in none.
CREATE INDEX cache_invalidation_queue_to_hand_over ON public.cache_invalidation_queue (time_bucket, tag)
    WHERE ripe_at IS NULL AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
CREATE INDEX cache_invalidation_queue_to_hand_over_at ON public.cache_invalidation_queue (priority, ripe_at, tag)
    WHERE ripe_at IS NOT NULL
      AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
