SELECT public.cache_invalidate_keys(:#keys::text[], :#triggeredBy) AS entries
