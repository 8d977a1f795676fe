-- Asked by the poll before it takes a turn: is there anything to fold, to hand over or to mark? A queue row that is not
-- ripe yet counts, too.
SELECT EXISTS (SELECT FROM freshet.inbox WHERE id > :#floor)
    OR EXISTS (SELECT FROM public.cache_invalidation_queue
               WHERE (last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
    OR EXISTS (SELECT FROM freshet.mark_later) AS has_work
