-- Run by the poll before it takes a turn: whether there is anything to fold, to hand over or to mark. A row of the
-- queue that is not ripe yet also counts, but not one that waits for a moment of its own, which may be a day away.
SELECT EXISTS (SELECT FROM freshet.inbox WHERE id > :#floor)
    OR EXISTS (SELECT FROM public.cache_invalidation_queue
               WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                 AND ripe_at IS NULL)
    OR EXISTS (SELECT FROM unnest(ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::smallint[]) AS p(priority) CROSS JOIN LATERAL (
                   SELECT FROM public.cache_invalidation_queue
                   WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                     AND ripe_at IS NOT NULL AND priority = p.priority AND ripe_at <= now() LIMIT 1) due)
    OR EXISTS (SELECT FROM freshet.mark_later) AS has_work,
       (SELECT version FROM freshet.policies) AS policies
