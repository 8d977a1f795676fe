-- Run after a hand-over of a single tag met a lock of someone else or was refused: the tag that cannot be handed over
-- now.
SELECT * FROM (
    SELECT tag FROM public.cache_invalidation_queue
    WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
      AND ripe_at IS NULL AND time_bucket <= :#horizon::timestamptz - make_interval(secs => :#debounceSeconds)
      AND tag <> ALL (:#aside::text[])
    ORDER BY time_bucket LIMIT 1 FOR UPDATE SKIP LOCKED) by_bucket
UNION ALL
SELECT * FROM (
    SELECT due.tag FROM unnest(ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::smallint[]) AS p(priority) CROSS JOIN LATERAL (
        SELECT tag FROM public.cache_invalidation_queue
        WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
          AND ripe_at IS NOT NULL AND priority = p.priority AND ripe_at <= :#horizon::timestamptz
          AND tag <> ALL (:#aside::text[])
        ORDER BY ripe_at LIMIT 1 FOR UPDATE SKIP LOCKED) due
    LIMIT 1) at_a_moment
LIMIT 1
