-- hand-over: the oldest buckets with something to hand over. Writers of an adopted queue wait while it is built, which
-- takes one look at the table: of an adopted one almost every row is processed, and not in the index.
CREATE INDEX cache_invalidation_queue_to_hand_over ON public.cache_invalidation_queue (time_bucket, tag)
    WHERE (last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count;
