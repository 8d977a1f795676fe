-- For hand-over.sql: the oldest buckets with something to hand over; and, in a separate index, the rows that wait for a
-- moment of their own (up to a day). Thus neither kind has to be walked past to find the other. Writers of an adopted
-- queue wait while the indexes are built, which takes one scan of the table each: almost every row of an adopted table
-- is processed, and is in neither index. Every index on a table that may be adopted has a name that begins with
-- freshet_, because an adopted table may have one of any natural name.
CREATE INDEX IF NOT EXISTS freshet_cache_invalidation_queue_to_hand_over
    ON public.cache_invalidation_queue (time_bucket, tag)
    WHERE ripe_at IS NULL AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
CREATE INDEX IF NOT EXISTS freshet_cache_invalidation_queue_to_hand_over_at
    ON public.cache_invalidation_queue (priority, ripe_at, tag)
    WHERE ripe_at IS NOT NULL
      AND ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count);
