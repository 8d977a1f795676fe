-- Dry run: matching tags that are on their way, each with the stage that it has reached.
SELECT tag, state, target, since FROM (
    (SELECT tag, 'committed' AS state, NULL AS target, min(changed_at) AS since FROM freshet.inbox
     WHERE CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text ELSE tag = ANY (:#tags::text[]) END
         GROUP BY tag LIMIT :#limit)
    UNION ALL
    (SELECT tag, 'ripening', NULL, min(coalesce(changed_at, created_at)) FROM public.cache_invalidation_queue
     WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count) AND ripe_at IS NULL
       AND CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text ELSE tag = ANY (:#tags::text[]) END
           GROUP BY tag LIMIT :#limit)
    UNION ALL
    (SELECT tag, 'ripening', NULL, min(coalesce(changed_at, created_at)) FROM public.cache_invalidation_queue
     WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
         AND ripe_at IS NOT NULL
       AND CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text ELSE tag = ANY (:#tags::text[]) END
           GROUP BY tag LIMIT :#limit)
    UNION ALL
    (SELECT tag, CASE WHEN lease_id IS NOT NULL AND due_at > now() THEN 'being called' WHEN attempts > 0
        THEN 'waits for another try' ELSE 'owed' END, target, changed_at
     FROM freshet.delivery WHERE CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text
         ELSE tag = ANY (:#tags::text[]) END LIMIT :#limit)
    UNION ALL
    (SELECT tag, 'given up', target, last_failed_at
     FROM freshet.dead_letter WHERE CASE WHEN :#tags::text[] IS NULL THEN tag LIKE :#like::text
         ELSE tag = ANY (:#tags::text[]) END LIMIT :#limit)
) found ORDER BY tag, since LIMIT :#limit
