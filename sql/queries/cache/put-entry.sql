SELECT public.cache_entry_put(:#key, :#value::jsonb, :#tags::text[], :#ttlSeconds::double precision,
    :#expiresAt::timestamptz)
