SELECT cache_key AS key, value::text AS value, to_jsonb(tags)::text AS tags,
       to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS expires_at
FROM public.cache_entries WHERE cache_key = :#key AND (expires_at IS NULL OR expires_at > now())
