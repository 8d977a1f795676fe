-- For the console: the tags that were touched most often, as far back as processed rows are kept; for a large table, in
-- a sample. Processed does not mean fresh: what a target did not accept waits in freshet.delivery, or was given up.
SELECT hot.*, EXISTS (SELECT FROM freshet.delivery d WHERE d.tag = hot.tag AND d.attempts > 0) AS retrying,
       EXISTS (SELECT FROM freshet.dead_letter l WHERE l.tag = hot.tag) AS given_up
FROM (SELECT tag, round(sum(invalidation_count) * 100 / :#percent)::bigint AS changes, :#percent < 100 AS estimated,
             max(last_invalidated_at) AS last_invalidated_at, bool_or(last_invalidated_at IS NULL
                 OR invalidation_count > handed_count) AS pending
      FROM public.cache_invalidation_queue TABLESAMPLE SYSTEM (:#percent)
      GROUP BY tag ORDER BY changes DESC, tag LIMIT 10) hot
ORDER BY changes DESC, tag
