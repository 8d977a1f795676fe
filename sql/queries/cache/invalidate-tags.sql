SELECT public.cache_invalidate_tags(:#tags::text[], :#triggeredBy) AS entries
