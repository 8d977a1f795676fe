WITH held AS MATERIALIZED (
    SELECT e.cache_key FROM unnest(:#keys::text[]) k JOIN public.cache_entries e ON e.cache_key = k
        ORDER BY e.cache_key FOR UPDATE OF e
)
DELETE FROM public.cache_entries e USING held WHERE e.cache_key = held.cache_key
