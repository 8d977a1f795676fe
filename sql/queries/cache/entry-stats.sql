SELECT count(*) AS total_entries, count(*) FILTER (WHERE expires_at <= now()) AS expired_entries,
       to_char(min(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS oldest_entry,
       to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS newest_entry
FROM public.cache_entries WHERE expires_at IS DISTINCT FROM '-infinity'
