-- For a manual run: those of its tags that do not have an outcome everywhere.
SELECT DISTINCT tag FROM public.cache_invalidation_queue WHERE tag = ANY (:#tags::text[])
    AND handover = ANY (:#handovers::bigint[])
