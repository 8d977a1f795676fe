-- Retention. The window of an `at_once` policy is kept until its tag has been quiet for that long. The DELETE checks
-- again that the row is still processed, because an upsert by someone else may have changed it meanwhile.
DELETE FROM public.cache_invalidation_queue q
WHERE (tag, time_bucket) IN (
    SELECT tag, time_bucket FROM public.cache_invalidation_queue
    WHERE last_invalidated_at < now() - make_interval(secs => :#retentionSeconds) AND handover IS NULL
        AND invalidation_count <= handed_count
      AND (quiet_at IS NULL OR quiet_at < now())
    ORDER BY tag, time_bucket LIMIT :#limit FOR UPDATE SKIP LOCKED)
  AND last_invalidated_at < now() - make_interval(secs => :#retentionSeconds) AND handover IS NULL
      AND invalidation_count <= handed_count
