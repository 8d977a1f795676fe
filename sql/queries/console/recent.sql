-- Dry run: matching tags that were processed, as far back as the queue keeps rows.
SELECT tag, sum(invalidation_count) AS changes, max(last_invalidated_at) AS last_invalidated_at
    FROM public.cache_invalidation_queue
WHERE last_invalidated_at IS NOT NULL AND CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text
    ELSE tag = ANY (:#tags::text[]) END
GROUP BY tag ORDER BY changes DESC, tag LIMIT :#limit
