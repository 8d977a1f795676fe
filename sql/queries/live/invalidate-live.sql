SELECT public.manual_cache_invalidation(:#eid, :#endpoint)
