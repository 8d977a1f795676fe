-- Of a manual run: which of its tags have not had an outcome everywhere?
SELECT DISTINCT tag FROM public.cache_invalidation_queue WHERE tag = ANY (:#tags::text[])
    AND handover = ANY (:#handovers::bigint[])
