-- Which tag is it that cannot be handed over now? Asked when a hand-over of one tag ran into somebody else's lock, or
-- was refused.
SELECT tag FROM public.cache_invalidation_queue
WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
  AND time_bucket <= :#horizon::timestamptz - make_interval(secs => :#debounceSeconds)
  AND tag <> ALL (:#aside::text[])
ORDER BY time_bucket LIMIT 1 FOR UPDATE SKIP LOCKED
